// ReplyPlan is how one reply goes out: in which pieces, when, and what happens to the connection
// then. spoil() turns the reply that a frame deserves into the one that a fault wants. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/server/fault_table.hpp"

namespace harness {

struct ReplyPlan {
    enum class End : std::uint8_t {
        usual,   ///< as without faults
        close,   ///< the connection is closed after the last piece
        silent,  ///< there is no reply, and the connection stays open for `silence`
    };

    std::string bytes;                  ///< all of it
    std::chrono::nanoseconds delay{0};  ///< before the first piece
    bool is_bytewise = false;           ///< each byte is a piece of its own
    std::chrono::nanoseconds gap{0};    ///< between pieces
    End end = End::usual;
    std::chrono::nanoseconds silence{0};
};

/// Applies one fault of the point `frame` to a plan; faults add up. `salt` makes what goes by
/// chance differ from one frame to the next. Whether the fault made a difference: a reply `X` has
/// no device that could be wrong.
[[nodiscard]] bool spoil(ReplyPlan& plan, const FaultSpec& fault, std::int64_t salt);

}  // namespace harness
