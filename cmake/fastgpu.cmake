# How every library, program and test of the project is declared, so that all get the same flags.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_package(Threads REQUIRED)
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(fastgpu_flags INTERFACE)
target_include_directories(fastgpu_flags INTERFACE ${CMAKE_SOURCE_DIR})
# The optimiser of g++ 12 warns of overlaps in std::string (GCC bug 105329) and of uninitialised
# alternatives in std::variant (GCC bug 105562) where there are none. Debug builds keep both.
set(OPTIMISED $<NOT:$<CONFIG:Debug>>)
set(FALSE_ALARMS $<${OPTIMISED}:-Wno-restrict> $<${OPTIMISED}:-Wno-maybe-uninitialized>)
target_compile_options(fastgpu_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  $<$<BOOL:${FASTGPU_WERROR}>:-Werror> -fstack-protector-strong ${FALSE_ALARMS})
target_link_libraries(fastgpu_flags INTERFACE Threads::Threads)
if(FASTGPU_SANITIZE)
  target_compile_options(fastgpu_flags INTERFACE
    -fsanitize=${FASTGPU_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(fastgpu_flags INTERFACE -fsanitize=${FASTGPU_SANITIZE})
endif()

# fastgpu_library(NAME [DEPENDS target...]): every .cpp of the current folder, as fastgpu_NAME.
# A folder of headers only becomes an interface library.
function(fastgpu_library NAME)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(SOURCES)
    add_library(fastgpu_${NAME} STATIC ${SOURCES})
    target_link_libraries(fastgpu_${NAME} PUBLIC fastgpu_flags ${ARG_DEPENDS})
  else()
    add_library(fastgpu_${NAME} INTERFACE)
    target_link_libraries(fastgpu_${NAME} INTERFACE fastgpu_flags ${ARG_DEPENDS})
  endif()
endfunction()

# fastgpu_program(NAME SOURCES file... [DEPENDS target...]): looks for its libraries beside itself
# first, so that a bundle runs where they are not installed. RPATH, as it also serves what those
# libraries need in turn, which RUNPATH does not.
function(fastgpu_program NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE fastgpu_flags ${ARG_DEPENDS})
  set_target_properties(${NAME} PROPERTIES BUILD_RPATH "$ORIGIN/../lib")
  target_link_options(${NAME} PRIVATE -Wl,--disable-new-dtags)
endfunction()

# fastgpu_test(NAME [DEPENDS target...] [LABELS label...] [TIMEOUT seconds] [ALONE]): every .cpp of
# the current folder, as one GoogleTest program whose cases CTest runs one by one; with ALONE while
# nothing else runs, for tests that start several processes each.
function(fastgpu_test NAME)
  cmake_parse_arguments(ARG "ALONE" "TIMEOUT" "DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_ALONE)
    set(ARG_ALONE FALSE)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  file(GLOB SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT SOURCES)
    return()
  endif()
  add_executable(test_${NAME} ${SOURCES})
  target_link_libraries(test_${NAME} PRIVATE fastgpu_flags ${ARG_DEPENDS} GTest::gmock_main)
  gtest_discover_tests(test_${NAME} TEST_PREFIX ${NAME}.
    DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" RUN_SERIAL ${ARG_ALONE})
endfunction()
