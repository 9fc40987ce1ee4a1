# The example plugin and those of the tests, as an outsider would build them: nothing of ours but
# the installed header. Not installed; the tests load them from the folder plugins/ of the build.
function(storyfi_plugin name source)
  add_library(${name} MODULE ${CMAKE_SOURCE_DIR}/${source})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic $<$<BOOL:${STORYFI_WERROR}>:-Werror>)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
endfunction()

storyfi_plugin(storyfi_example examples/plugin/storyfi_example.c)
foreach(fault WRONG_ABI SHORT_STRUCT GARBAGE ARRAY HUGE_ANSWER SLOW DEAF FAILS NO_OPEN EVENTS)
  string(TOLOWER ${fault} fault_name)
  storyfi_plugin(faulty_${fault_name} tests/plugins/faulty_plugin.c FAULT=${fault})
endforeach()
