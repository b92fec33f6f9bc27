// Database and Statement: SQLite as the recorder uses it. A Database owns a connection and must
// outlive its Statements. Either may be handed from thread to thread, used by one at a time.
// Failures throw DatabaseError, which carries SQLite's result code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace harness {

class DatabaseError : public std::runtime_error {
  public:
    DatabaseError(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
    /// SQLite's primary result code.
    [[nodiscard]] int code() const { return code_; }
    /// Another connection holds the lock: worth another try.
    [[nodiscard]] bool is_busy() const;

  private:
    int code_;
};

class Database {
  public:
    enum class Access : std::uint8_t {
        read_write,
        read_only,
        read_only_immutable,  ///< nobody writes the file, and nothing is created beside it
    };

    /// The file must exist; an empty one is a database without tables.
    Database(const std::filesystem::path& path, Access access);

    /// Runs statements that return nothing of interest.
    void execute(const char* sql);
    /// How long a statement waits for another connection's lock before it is busy.
    void set_busy_timeout_ms(int timeout_ms);

    [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

  private:
    struct Closer {
        void operator()(sqlite3* handle) const noexcept;
    };
    std::unique_ptr<sqlite3, Closer> handle_;
};

class Statement {
  public:
    Statement(Database& database, std::string_view sql);

    /// Parameters are bound from left to right, each of them each time; reset() starts over. Texts
    /// and blobs are not copied: they must stay as they are until then. Bytes that are no UTF-8 are
    /// stored as `\xNN` in a text, so that every reader can decode it.
    Statement& bind(std::int64_t number);
    Statement& bind(const std::optional<std::int64_t>& number);
    Statement& bind_text(std::string_view text);
    /// NULL if empty.
    Statement& bind_text_or_null(std::string_view text);
    Statement& bind_blob(std::string_view bytes);

    /// Runs it to its end and makes it ready to be bound again.
    void run();
    /// The next row, if there is one.
    [[nodiscard]] bool step();
    void reset() noexcept;

    [[nodiscard]] int column_count() const;
    [[nodiscard]] std::string column_name(int column) const;
    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] bool is_integer(int column) const;
    [[nodiscard]] bool is_blob(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
    /// Of a text or a blob.
    [[nodiscard]] std::string text(int column) const;

  private:
    void check_bind(int code);

    struct Finalizer {
        void operator()(sqlite3_stmt* handle) const noexcept;
    };
    Database& database_;
    std::unique_ptr<sqlite3_stmt, Finalizer> handle_;
    int bound_ = 0;
};

/// `text` with every byte that is no part of a UTF-8 character, and every NUL, as `\xNN`.
[[nodiscard]] std::string as_utf8(std::string_view text);

}  // namespace harness
