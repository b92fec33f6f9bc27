#include "rig/base/errors.hpp"

#include <system_error>

namespace rig {

void throw_system_error(int error_number, const std::string& action) {
    throw std::system_error(error_number, std::generic_category(), action);
}

}  // namespace rig
