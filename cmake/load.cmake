# The load generator of tests/rings/78-load.sh and `make bench`. Not installed.
file(GLOB load_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/load/*.c)
add_executable(storyfi-load EXCLUDE_FROM_ALL ${load_sources})
target_link_libraries(storyfi-load PRIVATE sf_bittensor)
