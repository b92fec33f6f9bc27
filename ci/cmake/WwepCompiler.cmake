# Language level, warnings and sanitizers for everything that is ours, in one interface target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_library(wwep_compiler INTERFACE)
target_compile_options(wwep_compiler INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # g++ 12 sees overlaps in std::string that are not there
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wundef
    # Designated initialisers name what differs from the default; the rest is meant to be left out.
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-field-initializers>
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast>
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
    $<$<BOOL:${WWEP_WERROR}>:-Werror>)
if(WWEP_SANITIZE)
    target_compile_options(wwep_compiler INTERFACE
        -fsanitize=${WWEP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
        # It opens descriptors to look at an object, and one test uses them all up.
        -fno-sanitize=vptr)
    target_link_options(wwep_compiler INTERFACE -fsanitize=${WWEP_SANITIZE})
endif()

# Tests: most of the time of a build goes into optimising and describing what runs once.
add_library(wwep_test_compiler INTERFACE)
target_compile_options(wwep_test_compiler INTERFACE -O0 -g1)
target_link_libraries(wwep_test_compiler INTERFACE wwep_compiler)
