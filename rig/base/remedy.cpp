#include "rig/base/remedy.hpp"

namespace rig {

ErrorParts parts_of(const std::exception& error) {
    if (const auto* const both = dynamic_cast<const WithRemedy*>(&error)) {
        return {.trouble = std::string(both->trouble()), .remedy = std::string(both->remedy())};
    }
    return {.trouble = error.what(), .remedy = {}};
}

}  // namespace rig
