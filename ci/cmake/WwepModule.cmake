# wwep_module(NAME folder_module SOURCES a.cpp... [LIBRARIES lib...] [PRIVATE_LIBRARIES lib...]
#             [TESTS a_test.cpp...] [TEST_LIBRARIES lib...] [BENCHMARKS a_benchmark.cpp...] [FUZZERS a_fuzz.cpp...])
#
# One static library per folder, with its tests beside it. The link graph is the dependency rule:
# what a module does not list it cannot use, and a C library goes under PRIVATE_LIBRARIES.
include(GoogleTest)

function(wwep_module)
    cmake_parse_arguments(PARSE_ARGV 0 M "" "NAME"
        "SOURCES;LIBRARIES;PRIVATE_LIBRARIES;TESTS;TEST_LIBRARIES;BENCHMARKS;FUZZERS")
    if(M_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "wwep_module(${M_NAME}): unknown words: ${M_UNPARSED_ARGUMENTS}")
    endif()

    if(M_SOURCES)
        add_library(${M_NAME} STATIC ${M_SOURCES})
        target_include_directories(${M_NAME} PUBLIC ${PROJECT_SOURCE_DIR})
        target_link_libraries(${M_NAME} PUBLIC ${M_LIBRARIES}
            PRIVATE ${M_PRIVATE_LIBRARIES} wwep_compiler)
    else()
        add_library(${M_NAME} INTERFACE)
        target_include_directories(${M_NAME} INTERFACE ${PROJECT_SOURCE_DIR})
        target_link_libraries(${M_NAME} INTERFACE ${M_LIBRARIES})
    endif()

    if(M_TESTS AND WWEP_BUILD_TESTS)
        add_executable(${M_NAME}_test ${M_TESTS})
        target_link_libraries(${M_NAME}_test PRIVATE
            ${M_NAME} ${M_TEST_LIBRARIES} wwep_test_compiler GTest::gtest_main GTest::gmock)
        gtest_discover_tests(${M_NAME}_test TEST_PREFIX ${M_NAME}. DISCOVERY_TIMEOUT 60
            PROPERTIES TIMEOUT 120)
    endif()

    if(WWEP_BUILD_BENCHMARKS)
        foreach(source IN LISTS M_BENCHMARKS)
            get_filename_component(program ${source} NAME_WE)
            add_executable(${program} ${source})
            target_link_libraries(${program} PRIVATE
                ${M_NAME} ${M_TEST_LIBRARIES} wwep_compiler benchmark::benchmark)
        endforeach()
    endif()

    if(WWEP_BUILD_FUZZERS)
        foreach(source IN LISTS M_FUZZERS)
            get_filename_component(program ${source} NAME_WE)
            add_executable(${program} ${source})
            target_link_libraries(${program} PRIVATE ${M_NAME} ${M_TEST_LIBRARIES} wwep_compiler)
            target_link_options(${program} PRIVATE -fsanitize=fuzzer)
        endforeach()
    endif()
endfunction()
