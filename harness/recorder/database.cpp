#include "harness/recorder/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

namespace harness {
namespace {

[[noreturn]] void fail(sqlite3* handle, int code) {
    throw DatabaseError(code & 0xFF,
                        handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
}

void check(sqlite3* handle, int code) {
    if (code != SQLITE_OK) {
        fail(handle, code);
    }
}

/// A name that SQLite takes as a URI, with every byte that could mean something there escaped.
std::string immutable_uri(const std::filesystem::path& path) {
    std::string uri = "file:";
    for (const char byte : path.string()) {
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') || byte == '/' || byte == '.' ||
                              byte == '-' || byte == '_';
        uri += is_plain ? std::string(1, byte)
                        : fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
    return uri + "?immutable=1";
}

/// The length of the UTF-8 character at the start of `text`; 0 if there is none.
std::size_t character_size(std::string_view text) {
    const auto at = [text](std::size_t index) {
        return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
    };
    const unsigned first = at(0);
    if (first < 0x80) {
        return first == 0 ? 0 : 1;
    }
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    for (std::size_t index = 1; index < size; ++index) {
        if ((at(index) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
    const unsigned second = at(1);
    const bool is_bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    return is_bad ? 0 : size;
}

/// Whether `text` can be stored as it is. Says no to some texts of which that is true as well.
bool is_plain_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](unsigned char byte) { return byte > 0 && byte < 0x80; });
}

}  // namespace

bool DatabaseError::is_busy() const {
    return code_ == SQLITE_BUSY || code_ == SQLITE_LOCKED;
}

std::string as_utf8(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const std::size_t size = character_size(text);
        if (size == 0) {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
            text.remove_prefix(1);
        } else {
            result += text.substr(0, size);
            text.remove_prefix(size);
        }
    }
    return result;
}

void Database::Closer::operator()(sqlite3* handle) const noexcept {
    sqlite3_close_v2(handle);  // Nothing can be done about a failed last checkpoint here.
}

Database::Database(const std::filesystem::path& path, Access access) {
    // An absolute path never reads as a URI or as ":memory:".
    const auto file = std::filesystem::absolute(path);
    int flags = SQLITE_OPEN_NOMUTEX;
    std::string name = file.string();
    switch (access) {
        case Access::read_write:
            flags |= SQLITE_OPEN_READWRITE;
            break;
        case Access::read_only:
            flags |= SQLITE_OPEN_READONLY;
            break;
        case Access::read_only_immutable:
            flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
            name = immutable_uri(file);
            break;
    }
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
    handle_.reset(handle);  // SQLite makes one even when it fails, and wants it closed.
    check(handle, code);
}

void Database::execute(const char* sql) {
    check(handle(), sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr));
}

void Database::set_busy_timeout_ms(int timeout_ms) {
    check(handle(), sqlite3_busy_timeout(handle(), timeout_ms));
}

void Statement::Finalizer::operator()(sqlite3_stmt* handle) const noexcept {
    sqlite3_finalize(handle);  // Repeats the error of the last step, which was reported there.
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
    handle_.reset(handle);
    check(database.handle(), code);
}

void Statement::check_bind(int code) {
    check(database_.handle(), code);
}

Statement& Statement::bind(std::int64_t number) {
    check_bind(sqlite3_bind_int64(handle_.get(), ++bound_, number));
    return *this;
}

Statement& Statement::bind(const std::optional<std::int64_t>& number) {
    if (number) {
        return bind(*number);
    }
    check_bind(sqlite3_bind_null(handle_.get(), ++bound_));
    return *this;
}

Statement& Statement::bind_text(std::string_view text) {
    if (is_plain_text(text)) {
        // A null pointer would bind NULL: an empty text is something else.
        const char* start = text.empty() ? "" : text.data();
        check_bind(sqlite3_bind_text(handle_.get(), ++bound_, start, static_cast<int>(text.size()),
                                     SQLITE_STATIC));
        return *this;
    }
    const std::string clean = as_utf8(text);
    check_bind(sqlite3_bind_text(handle_.get(), ++bound_, clean.data(),
                                 static_cast<int>(clean.size()), SQLITE_TRANSIENT));
    return *this;
}

Statement& Statement::bind_text_or_null(std::string_view text) {
    return text.empty() ? bind(std::nullopt) : bind_text(text);
}

Statement& Statement::bind_blob(std::string_view bytes) {
    // A null pointer would bind NULL: an empty blob is something else.
    const char* start = bytes.empty() ? "" : bytes.data();
    check_bind(sqlite3_bind_blob(handle_.get(), ++bound_, start, static_cast<int>(bytes.size()),
                                 SQLITE_STATIC));
    return *this;
}

void Statement::run() {
    while (step()) {
    }
    reset();
}

bool Statement::step() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        return code == SQLITE_ROW;
    }
    const std::string text = sqlite3_errmsg(database_.handle());
    reset();
    throw DatabaseError(code & 0xFF, text);
}

void Statement::reset() noexcept {
    sqlite3_reset(handle_.get());  // Repeats the error of the last step, which was reported there.
    bound_ = 0;
}

int Statement::column_count() const {
    return sqlite3_column_count(handle_.get());
}

std::string Statement::column_name(int column) const {
    return sqlite3_column_name(handle_.get(), column);
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

bool Statement::is_integer(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_INTEGER;
}

bool Statement::is_blob(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_BLOB;
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::string Statement::text(int column) const {
    // Of a blob these are its bytes as they are.
    const auto* bytes = sqlite3_column_blob(handle_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
    return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

}  // namespace harness
