# The manual pages, written by the program itself: man/man1, man/man5 of the build. A cross build
# needs CMAKE_CROSSCOMPILING_EMULATOR for it (tools/arm64.sh).
set(manual_stamp ${CMAKE_BINARY_DIR}/man/.written)
add_custom_command(OUTPUT ${manual_stamp}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${CMAKE_BINARY_DIR}/man
  COMMAND storyfi man --write ${CMAKE_BINARY_DIR}/man
  COMMAND ${CMAKE_COMMAND} -E touch ${manual_stamp}
  DEPENDS storyfi VERBATIM)
add_custom_target(manual ALL DEPENDS ${manual_stamp})
