# The helper program storyfi-engine, the only one linked to libllama. Without the libraries
# (STORYFI_LLAMA_DIR, filled by tools/setup.sh) everything else still builds.
# storyfi-engine-stub is the same program over a stub with libllama's interface (tests/stub_llama),
# for the tests that need no model and run under sanitizers.
set(STORYFI_MODEL_DIR "" CACHE PATH "folder with the default model, for `make install`")

file(GLOB llama_libs CONFIGURE_DEPENDS ${STORYFI_LLAMA_DIR}/lib/libllama*.so ${STORYFI_LLAMA_DIR}/lib/libggml*.so)
set(llama_link ${llama_libs})
list(FILTER llama_link EXCLUDE REGEX "libllama-common|libggml-(cpu|cuda|vulkan|blas|rpc)")
file(GLOB stub_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/stub_llama/*.c)
file(GLOB child_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/engine/child/*.c)
set(child_tests ${child_sources})
list(FILTER child_sources EXCLUDE REGEX "_test\\.c$")
list(FILTER child_tests INCLUDE REGEX "_test\\.c$")
set(child_main ${CMAKE_SOURCE_DIR}/src/engine/child/child_main.c)
# Makes weights with the library's own hands, which the stub has not.
set(child_real ${CMAKE_SOURCE_DIR}/src/engine/child/synthetic.c)
list(REMOVE_ITEM child_sources ${child_main} ${child_real})
if(NOT EXISTS ${child_main})
  set(child_main "")
endif()

find_path(STORYFI_LLAMA_INCLUDE llama.h NO_DEFAULT_PATH NO_CACHE
  PATHS ${STORYFI_LLAMA_DIR}/include ${CMAKE_SOURCE_DIR}/tests/stub_llama)
if(NOT STORYFI_LLAMA_INCLUDE OR NOT child_sources)
  if(child_sources)
    message(STATUS "no llama.h in '${STORYFI_LLAMA_DIR}': storyfi-engine is left out (tools/setup.sh fetches it)")
  endif()
  return()
endif()

add_library(sf_engine_child STATIC ${child_sources})
target_include_directories(sf_engine_child SYSTEM PUBLIC ${STORYFI_LLAMA_INCLUDE})
target_link_libraries(sf_engine_child PUBLIC sf_engine)
# The word lists are part of the program: words_en_skill and so on (src/engine/child/wordlist.c).
file(GLOB word_lists RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/config/wordlists/*/*.txt)
foreach(list ${word_lists})
  string(REGEX REPLACE "config/wordlists/(.*)/(.*)\\.txt" "words_\\1_\\2" symbol ${list})
  storyfi_embed(engine_child ${symbol} ${list})
endforeach()

if(llama_link)
  add_library(llama_real INTERFACE)
  target_link_libraries(llama_real INTERFACE ${llama_link})
  if(child_main)
    add_executable(storyfi-engine ${child_main} ${child_real})
    target_link_libraries(storyfi-engine PRIVATE sf_engine_child llama_real)
    # Installed: beside bin/ in lib/storyfi. Built: the set-up cache itself.
    set_target_properties(storyfi-engine PROPERTIES
      BUILD_RPATH "$ORIGIN/../lib/storyfi;${STORYFI_LLAMA_DIR}/lib"
      INSTALL_RPATH "$ORIGIN/../lib/storyfi")
    # Of `make bench` alone. Not installed.
    add_executable(storyfi-decode EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/decode.c ${child_real})
    target_link_libraries(storyfi-decode PRIVATE sf_engine_child llama_real)
    set_target_properties(storyfi-decode PROPERTIES BUILD_RPATH "${STORYFI_LLAMA_DIR}/lib")
  endif()
else()
  message(STATUS "no llama libraries in '${STORYFI_LLAMA_DIR}': storyfi-engine is left out (tools/setup.sh fetches them)")
endif()

if(stub_sources)
  add_library(llama_stub STATIC ${stub_sources})
  target_include_directories(llama_stub SYSTEM PUBLIC ${STORYFI_LLAMA_INCLUDE})
  target_link_libraries(llama_stub PUBLIC sf_base)
  if(child_main)
    add_executable(storyfi-engine-stub ${child_main})
    target_link_libraries(storyfi-engine-stub PRIVATE sf_engine_child llama_stub)
  endif()
endif()

if(stub_sources)
  set(child_llama llama_stub)
elseif(llama_link)
  set(child_llama llama_real)
else()
  return()
endif()
foreach(test_source ${child_tests})
  storyfi_unit_test(${test_source} sf_engine_child ${child_llama})
  get_filename_component(test_name ${test_source} NAME_WE)
  if(TARGET ${test_name})
    set_target_properties(${test_name} PROPERTIES BUILD_RPATH "${STORYFI_LLAMA_DIR}/lib")
  endif()
endforeach()
