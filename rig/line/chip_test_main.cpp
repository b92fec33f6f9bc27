// main() of the tests that need a GPIO chip. With --require-gpio-sim they fail where there is none,
// as in the virtual machine whose purpose they are; without it they are skipped, with the reason.
#include <gtest/gtest.h>

#include <iostream>
#include <string_view>

#include "rig/line/gpio_sim.hpp"

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) != "--require-gpio-sim") {
            std::cerr << argv[0] << ": unknown argument " << argv[i]
                      << "; expected --require-gpio-sim\n";
            return 2;
        }
        rig::testing::gpio_sim_is_required = true;
    }
    return RUN_ALL_TESTS();
}
