// An error that keeps what is wrong apart from what to do about it, for whoever shows the two
// separately. To everybody else it is the error that it derives from: what() is both, as
// "trouble; remedy".
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace rig {

/// The seam through which parts_of() sees the two.
class WithRemedy {
  public:
    virtual ~WithRemedy() = default;
    [[nodiscard]] virtual std::string_view trouble() const noexcept = 0;
    [[nodiscard]] virtual std::string_view remedy() const noexcept = 0;
};

/// Error: RigError or NoBench.
template <class Error>
class Remedied final : public Error, public WithRemedy {
  public:
    Remedied(const std::string& trouble, const std::string& remedy)
        : Error(trouble + std::string(separator) + remedy), trouble_bytes_(trouble.size()) {}

    [[nodiscard]] std::string_view trouble() const noexcept override {
        return std::string_view(this->what()).substr(0, trouble_bytes_);
    }
    [[nodiscard]] std::string_view remedy() const noexcept override {
        return this->what() + trouble_bytes_ + separator.size();
    }

  private:
    static constexpr std::string_view separator = "; ";
    std::size_t trouble_bytes_;
};

struct ErrorParts {
    std::string trouble;
    std::string remedy;  ///< empty: there is none, or the trouble's own text says what to correct
};

[[nodiscard]] ErrorParts parts_of(const std::exception& error);

}  // namespace rig
