# `make deb`: the Debian package, by CPack. It holds the programs, and llama.cpp's libraries where the
# set-up cache has them; models are downloaded (storyfi models pull). Its own files: packaging/debian.
set(STORYFI_MAINTAINER "StoryFi miners <storyfi@packages.invalid>" CACHE STRING "maintainer named by the package")
execute_process(COMMAND date -u -R -d "${STORYFI_DATE} 12:00" OUTPUT_VARIABLE STORYFI_DATE_RFC
  OUTPUT_STRIP_TRAILING_WHITESPACE)
configure_file(packaging/debian/changelog.in ${CMAKE_BINARY_DIR}/debian/changelog @ONLY)

# The unit of the package: the program is in /usr/bin.
set(bindir /usr/bin)
configure_file(contrib/systemd/storyfi-miner@.service.in ${CMAKE_BINARY_DIR}/debian/storyfi-miner@.service @ONLY)

set(package COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_BINARY_DIR}/debian/storyfi-miner@.service DESTINATION lib/systemd/system ${package})
install(FILES src/cmd/data/completion.zsh DESTINATION share/zsh/vendor-completions RENAME _storyfi ${package})
install(FILES packaging/debian/copyright DESTINATION share/doc/storyfi ${package})
install(FILES packaging/debian/generator_config.yaml DESTINATION /etc/storyfi ${package})
# Compressed without a time in it, so that the same sources make the same package.
install(CODE "
  set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share\")
  file(COPY \"${CMAKE_BINARY_DIR}/man/man1\" \"${CMAKE_BINARY_DIR}/man/man5\" DESTINATION \"\${root}/man\")
  file(COPY \"${CMAKE_BINARY_DIR}/debian/changelog\" DESTINATION \"\${root}/doc/storyfi\")
  file(GLOB texts \"\${root}/man/man?/*.?\" \"\${root}/doc/storyfi/changelog\")
  execute_process(COMMAND gzip -9nf \${texts} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB libraries \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/storyfi/*.so*\")
  if(libraries)
    execute_process(COMMAND ${CMAKE_STRIP} --strip-unneeded \${libraries} COMMAND_ERROR_IS_FATAL ANY)
  endif()" ${package})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME storyfi)
set(CPACK_PACKAGE_VENDOR "StoryFi miners")
set(CPACK_PACKAGE_CONTACT "${STORYFI_MAINTAINER}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "miner of the StoryFi subnet of Bittensor")
set(CPACK_PACKAGE_DESCRIPTION "Answers the validators of the StoryFi subnet with interactive stories,
written by a model on this machine, a vLLM server, a script of yours or a
cloud provider, with automatic fallback between them. One program with a
page to look in, a journal of every request, and systemd units. Models are
downloaded on demand.")
set(CPACK_PACKAGE_HOMEPAGE_URL "")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR OFF)
set(CPACK_STRIP_FILES ON)
# What has no component, and the package's own; without models.
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};storyfi;Unspecified;/;${CMAKE_BINARY_DIR};storyfi;debian;/")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3, systemd")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/packaging/debian/postinst ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
  ${CMAKE_SOURCE_DIR}/packaging/debian/postrm ${CMAKE_SOURCE_DIR}/packaging/debian/conffiles)
if(llama_files)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${STORYFI_LLAMA_DIR}/lib)
endif()
include(CPack)
