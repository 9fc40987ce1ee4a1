# make install PREFIX=: the programs beside each other in bin, llama.cpp's libraries in lib/storyfi,
# the default model in share/storyfi/models, examples and papers in share. The programs find these by
# their own place, so the whole folder may be moved (but for the units, which name it).
# Components: what has none goes everywhere; "local" and "model" are of `make install` alone, "debian"
# of the package alone (deb.cmake).
install(TARGETS storyfi RUNTIME DESTINATION bin)
if(TARGET storyfi-engine)
  install(TARGETS storyfi-engine RUNTIME DESTINATION bin)
  # LLAMA=system: the libraries stay where the system keeps them.
  if(IS_SYMLINK ${STORYFI_LLAMA_DIR}/lib)
    set_target_properties(storyfi-engine PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  else()
    file(GLOB llama_files ${STORYFI_LLAMA_DIR}/lib/lib*.so ${STORYFI_LLAMA_DIR}/lib/lib*.so.*)
    install(FILES ${llama_files} DESTINATION lib/storyfi)
  endif()
  file(GLOB llama_licences ${STORYFI_LLAMA_DIR}/LICENSE.*)
  install(FILES ${llama_licences} DESTINATION share/doc/storyfi COMPONENT local)
endif()

# Of what is embedded in the dashboard.
if(STORYFI_WEB_DIR)
  file(GLOB web_licences ${STORYFI_WEB_DIR}/LICENSE.*)
  install(FILES ${web_licences} DESTINATION share/doc/storyfi)
endif()

file(GLOB models "${STORYFI_MODEL_DIR}/*.gguf")
list(FILTER models EXCLUDE REGEX "\\.tuned\\.gguf$") # that is of one machine
if(STORYFI_MODEL_DIR AND models)
  install(FILES ${models} DESTINATION share/storyfi/models COMPONENT model)
endif()

install(FILES config/generator_config.yaml.example DESTINATION share/storyfi/config)
install(FILES .env.example DESTINATION share/storyfi/config OPTIONAL)
install(DIRECTORY config/prompts DESTINATION share/storyfi OPTIONAL)
install(FILES LICENSE DESTINATION share/doc/storyfi COMPONENT local)
install(FILES README.md SECURITY.md DESTINATION share/doc/storyfi)
install(DIRECTORY doc/ DESTINATION share/doc/storyfi FILES_MATCHING PATTERN "*.md")
install(DIRECTORY ${CMAKE_BINARY_DIR}/man/man1 ${CMAKE_BINARY_DIR}/man/man5 DESTINATION share/man COMPONENT local)
install(FILES src/cmd/data/completion.bash DESTINATION share/bash-completion/completions RENAME storyfi)
install(FILES src/cmd/data/completion.zsh DESTINATION share/zsh/site-functions RENAME _storyfi COMPONENT local)
install(FILES src/cmd/data/completion.fish DESTINATION share/fish/vendor_completions.d RENAME storyfi.fish)
install(FILES contrib/systemd/storyfi.sysusers DESTINATION lib/sysusers.d RENAME storyfi.conf COMPONENT local)
install(DIRECTORY contrib DESTINATION share/storyfi PATTERN "*.in" EXCLUDE)
if(EXISTS ${CMAKE_SOURCE_DIR}/include/storyfi)
  install(DIRECTORY include/storyfi DESTINATION include)
endif()

# The unit names the program's place, which is known when it is installed.
install(CODE "
  set(bindir \"\${CMAKE_INSTALL_PREFIX}/bin\")
  configure_file(\"${CMAKE_SOURCE_DIR}/contrib/systemd/storyfi-miner@.service.in\"
    \"${CMAKE_BINARY_DIR}/storyfi-miner@.service\" @ONLY)
  file(INSTALL \"${CMAKE_BINARY_DIR}/storyfi-miner@.service\"
    DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")" COMPONENT local)
