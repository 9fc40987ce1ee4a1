# Warning and hardening flags of the house: the same for gcc and clang, plus what only one knows.
add_library(storyfi_flags INTERFACE)
target_compile_definitions(storyfi_flags INTERFACE _GNU_SOURCE STORYFI_VERSION="${PROJECT_VERSION}"
  STORYFI_DATE="${STORYFI_DATE}")
target_include_directories(storyfi_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
target_compile_options(storyfi_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Wpointer-arith -Wcast-qual -Wwrite-strings
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wformat=2 -Wconversion
  -Wsign-conversion -Wimplicit-fallthrough -Wnull-dereference
  -fno-common -fstack-protector-strong -fPIE)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(storyfi_flags INTERFACE
    -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wformat-truncation=1)
else()
  # ", ##__VA_ARGS__" of the log macro: both compilers take it.
  target_compile_options(storyfi_flags INTERFACE -Wno-gnu-zero-variadic-macro-arguments)
endif()
if(STORYFI_WERROR)
  target_compile_options(storyfi_flags INTERFACE -Werror)
endif()
if(STORYFI_SANITIZE)
  list(JOIN STORYFI_SANITIZE "," sanitizers)
  target_compile_options(storyfi_flags INTERFACE -fsanitize=${sanitizers} -fno-omit-frame-pointer -O1)
  target_link_options(storyfi_flags INTERFACE -fsanitize=${sanitizers})
else()
  target_compile_definitions(storyfi_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
  target_link_options(storyfi_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
option(STORYFI_FUZZ "build the libFuzzer programs too (clang, with STORYFI_SANITIZE)" OFF)
if(STORYFI_FUZZ)
  target_compile_options(storyfi_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
