# What tests put in front of the C library: built when a test asks for it.
add_library(clock_shift MODULE EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/preload/clock_shift.c)
target_compile_definitions(clock_shift PRIVATE _GNU_SOURCE)
target_compile_options(clock_shift PRIVATE -Wall -Wextra -O2 -fPIC)
set_target_properties(clock_shift PROPERTIES PREFIX "" OUTPUT_NAME clock_shift)
