// Whatever stands in a bench file, it is either taken or refused with a text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rig/bench_file/bench_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text;
    if (size > 0) {
        text = {reinterpret_cast<const char*>(data), size};
    }
    try {
        const rig::BenchFile bench = rig::parse_bench_file(text, "fuzz.toml");
        if (rig::to_json(bench).empty()) {
            std::abort();
        }
    } catch (const rig::BenchFileError& error) {
        if (error.problems().empty()) {
            std::abort();
        }
    }
    return 0;
}
