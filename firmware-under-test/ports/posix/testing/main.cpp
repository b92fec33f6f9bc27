#include "testing/board.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "wiced.h"

extern "C" {
#include "board.h"
}

namespace {

world_t world = world_empty();

}  // namespace

const world_t& board_world() {
    return world;
}

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    char error[256];
    const std::string trouble =
        std::filesystem::temp_directory_path() / ("wwep_names_" + std::to_string(::getpid()));
    world.name_trouble = trouble.c_str();
    if (!world_add_routes(&world, "server.test=127.0.0.1,198.51.100.3=127.0.0.1", error,
                          sizeof(error)) ||
        !board_boot(&world)) {
        std::fputs("the board does not boot\n", stderr);
        return 1;
    }
    if (wiced_init() != WICED_SUCCESS ||
        wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, nullptr) !=
            WICED_SUCCESS) {
        return 1;
    }
    return RUN_ALL_TESTS();
}
