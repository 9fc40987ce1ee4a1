# make install PREFIX=: the programs beside each other in bin, llama.cpp's libraries in lib/storyfi,
# the default model in share/storyfi/models, examples and papers in share. The programs find these by
# their own place, so the whole folder may be moved.
install(TARGETS storyfi RUNTIME DESTINATION bin)
if(TARGET storyfi-engine)
  install(TARGETS storyfi-engine RUNTIME DESTINATION bin)
  # LLAMA=system: the libraries stay where the system keeps them.
  if(IS_SYMLINK ${STORYFI_LLAMA_DIR}/lib)
    set_target_properties(storyfi-engine PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  else()
    file(GLOB llama_files ${STORYFI_LLAMA_DIR}/lib/lib*.so ${STORYFI_LLAMA_DIR}/lib/lib*.so.*)
    install(PROGRAMS ${llama_files} DESTINATION lib/storyfi)
  endif()
  file(GLOB llama_licences ${STORYFI_LLAMA_DIR}/LICENSE.*)
  install(FILES ${llama_licences} DESTINATION share/doc/storyfi)
endif()

# Of what is embedded in the dashboard.
if(STORYFI_WEB_DIR)
  file(GLOB web_licences ${STORYFI_WEB_DIR}/LICENSE.*)
  install(FILES ${web_licences} DESTINATION share/doc/storyfi)
endif()

file(GLOB models "${STORYFI_MODEL_DIR}/*.gguf")
if(STORYFI_MODEL_DIR AND models)
  install(FILES ${models} DESTINATION share/storyfi/models)
endif()

install(FILES config/generator_config.yaml.example DESTINATION share/storyfi/config)
install(FILES .env.example DESTINATION share/storyfi/config OPTIONAL)
install(DIRECTORY config/prompts DESTINATION share/storyfi OPTIONAL)
install(FILES LICENSE README.md SECURITY.md DESTINATION share/doc/storyfi)
install(DIRECTORY doc/ DESTINATION share/doc/storyfi FILES_MATCHING PATTERN "*.md")
install(FILES doc/storyfi.1 DESTINATION share/man/man1)
install(DIRECTORY contrib/prometheus contrib/grafana DESTINATION share/doc/storyfi)
if(EXISTS ${CMAKE_SOURCE_DIR}/include/storyfi)
  install(DIRECTORY include/storyfi DESTINATION include)
endif()
