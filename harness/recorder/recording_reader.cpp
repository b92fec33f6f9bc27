#include "harness/recorder/recording_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/recorder/database.hpp"
#include "harness/recorder/schema.hpp"
#include "rig/base/errors.hpp"

namespace harness {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
    throw rig::RigError(fmt::format("recording {}: {}", path.string(), why));
}

/// Runs `query`, and names the file when SQLite finds fault with it.
template <class Query>
auto reading(const std::filesystem::path& path, Query query) {
    try {
        return query();
    } catch (const DatabaseError& error) {
        refuse(path, fmt::format("{}; the file may be damaged: try a copy of it, together with its "
                                 "-wal file, or `sqlite3 FILE .recover`",
                                 error.what()));
    }
}

std::int64_t pragma(Database& database, std::string_view name) {
    Statement statement(database, fmt::format("pragma {}", name));
    return statement.step() ? statement.integer(0) : 0;
}

/// The first edge, and the first stored frame with its connection, that a press can have caused.
constexpr std::string_view latency_sql = R"sql(
with bounded as (
    select id, line, before_ns,
        min(before_ns + ?1,
            ifnull(lead(before_ns) over (partition by line order by before_ns), 9223372036854775807)
        ) as until_ns
    from presses
    where line = ?2 and before_ns >= ?5
), caused as (
    select id, line, before_ns,
        (select min(at_ns) from edges
            where edges.line = ?3 and at_ns >= before_ns and at_ns < until_ns) as led_ns,
        (select frames.id from frames join connections on connections.id = connection_id
            where received_ns >= before_ns and received_ns < until_ns
                and verdict = 'write' and secure = ?4
            order by received_ns limit 1) as frame_id
    from bounded
)
select caused.id, caused.line, before_ns, led_ns - before_ns, received_ns - before_ns,
    replied_ns - received_ns, handshake_ns, frame_id
from caused
    left join frames on frames.id = frame_id
    left join connections on connections.id = connection_id
)sql";

std::vector<std::string> column_of_texts(Database& database, std::string_view sql) {
    Statement statement(database, sql);
    std::vector<std::string> texts;
    while (statement.step()) {
        texts.push_back(statement.text(0));
    }
    return texts;
}

/// The first column that holds a time. Every table has one; by rowid, rows come as they were noted.
std::string time_column_of(const std::vector<std::string>& columns) {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [](const std::string& each) { return each.ends_with("_ns"); });
    return found == columns.end() ? "1" : *found;
}

/// Without a -wal file beside it nobody writes it, and SQLite need create none: a finished
/// recording can then be read from a folder where nothing may be written.
Database::Access access_to(const std::filesystem::path& path) {
    return std::filesystem::exists(path.string() + "-wal") ? Database::Access::read_only
                                                           : Database::Access::read_only_immutable;
}

}  // namespace

RecordedRows::RecordedRows(Database& database, std::filesystem::path path, const std::string& table)
    : path_(std::move(path)),
      columns_(column_of_texts(database,
                               fmt::format("select name from pragma_table_info('{}')", table))) {
    statement_ = std::make_unique<Statement>(
        database, fmt::format("select * from \"{}\" order by {}", table, time_column_of(columns_)));
}

RecordedRows::~RecordedRows() = default;
RecordedRows::RecordedRows(RecordedRows&&) noexcept = default;
RecordedRows& RecordedRows::operator=(RecordedRows&&) noexcept = default;

std::optional<std::vector<RecordedValue>> RecordedRows::next() {
    return reading(path_, [&]() -> std::optional<std::vector<RecordedValue>> {
        if (statement_ == nullptr || !statement_->step()) {
            statement_.reset();  // a step after the last one would begin again
            return std::nullopt;
        }
        std::vector<RecordedValue> row(columns_.size());
        for (int column = 0; column < statement_->column_count(); ++column) {
            RecordedValue& value = row.at(static_cast<std::size_t>(column));
            if (statement_->is_integer(column)) {
                value = statement_->integer(column);
            } else if (statement_->is_blob(column)) {
                value = RecordedBytes{statement_->text(column)};
            } else if (!statement_->is_null(column)) {
                value = statement_->text(column);
            }
        }
        return row;
    });
}

RecordingReader::RecordingReader(const std::filesystem::path& path) : path_(path) {
    if (!std::filesystem::is_regular_file(path)) {
        refuse(path, "there is no such file");
    }
    std::int64_t application_id = 0;
    std::int64_t version = 0;
    try {
        database_ = std::make_unique<Database>(path, access_to(path));
        database_->set_busy_timeout_ms(2'000);
        application_id = pragma(*database_, "application_id");
        version = pragma(*database_, "user_version");
    } catch (const DatabaseError& error) {
        refuse(path, fmt::format("this cannot be read as a recording ({})", error.what()));
    }
    if (application_id != recording_application_id) {
        refuse(path, "this is not a recording of the rig");
    }
    if (version > recording_version) {
        refuse(path, fmt::format("it was written by a newer rig (version {} of the schema, this "
                                 "rig reads up to {}): read it with that rig",
                                 version, recording_version));
    }
}

RecordingReader::~RecordingReader() = default;
RecordingReader::RecordingReader(RecordingReader&&) noexcept = default;
RecordingReader& RecordingReader::operator=(RecordingReader&&) noexcept = default;

std::vector<TimelineRow> RecordingReader::timeline(std::size_t rows_max, TimestampNs from_ns,
                                                   TimestampNs until_ns) const {
    return reading(path_, [&] {
        Statement statement(*database_,
                            "select at_ns, lane, what from timeline where at_ns between ? and ? "
                            "order by at_ns desc limit ?");
        statement.bind(from_ns).bind(until_ns).bind(
            rows_max == 0 ? -1 : static_cast<std::int64_t>(rows_max));
        std::vector<TimelineRow> rows;
        while (statement.step()) {
            rows.push_back({statement.integer(0), statement.text(1), statement.text(2)});
        }
        std::reverse(rows.begin(), rows.end());
        return rows;
    });
}

std::string RecordingReader::run_json() const {
    return reading(path_, [&] {
        nlohmann::json run = nlohmann::json::object();
        Statement statement(*database_, "select * from runs order by id desc limit 1");
        if (!statement.step()) {
            return run.dump();
        }
        for (int column = 0; column < statement.column_count(); ++column) {
            auto& field = run[statement.column_name(column)];
            if (statement.is_integer(column)) {
                field = statement.integer(column);
            } else if (!statement.is_null(column)) {
                field = statement.text(column);
            }
        }
        if (const auto facts = run.find("facts"); facts != run.end() && facts->is_string()) {
            auto parsed = nlohmann::json::parse(facts->get<std::string>(), nullptr, false);
            *facts = parsed.is_discarded() ? nlohmann::json() : std::move(parsed);
        }
        return run.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    });
}

TimestampNs RecordingReader::newest_ns() const {
    return reading(path_, [&] {
        // Whatever happens last, one of these is near it.
        Statement statement(*database_, R"sql(
            select max(at_ns) from (
                select max(max(began_ns, ifnull(ended_ns, 0))) as at_ns from runs
                union all select max(at_ns) from edges
                union all select max(opened_ns) from connections
                union all select max(received_ns) from frames
                union all select max(at_ns) from console
            ))sql");
        return statement.step() ? statement.integer(0) : 0;
    });
}

std::vector<PressLatency> RecordingReader::latencies(const std::vector<ButtonPairing>& pairings,
                                                     TimestampNs from_ns) const {
    return reading(path_, [&] {
        std::vector<PressLatency> all;
        for (const std::string& line :
             column_of_texts(*database_, "select distinct line from presses")) {
            const auto pairing =
                std::find_if(pairings.begin(), pairings.end(),
                             [&](const ButtonPairing& each) { return each.button == line; });
            Statement statement(*database_, latency_sql);
            statement.bind(latency_max_ns).bind_text(line);
            if (pairing == pairings.end()) {
                statement.bind(std::nullopt).bind(std::nullopt);
            } else {
                statement.bind_text(pairing->led).bind(pairing->secure ? 1 : 0);
            }
            statement.bind(from_ns);
            while (statement.step()) {
                all.push_back({statement.integer(0), statement.text(1), statement.integer(2),
                               statement.optional_integer(3), statement.optional_integer(4),
                               statement.optional_integer(5), statement.optional_integer(6),
                               statement.optional_integer(7)});
            }
        }
        std::sort(all.begin(), all.end(), [](const PressLatency& left, const PressLatency& right) {
            return std::tie(left.before_ns, left.press_id) <
                   std::tie(right.before_ns, right.press_id);
        });
        return all;
    });
}

std::vector<PressLatency> RecordingReader::latencies(TimestampNs from_ns) const {
    constexpr std::string_view prefix = "button";
    std::vector<ButtonPairing> pairings;
    for (const std::string& line : reading(path_, [&] {
             return column_of_texts(*database_, "select distinct line from presses");
         })) {
        if (line.starts_with(prefix)) {
            pairings.push_back({line, "led" + line.substr(prefix.size()), line == "button1"});
        }
    }
    return latencies(pairings, from_ns);
}

RecordedRows RecordingReader::rows(const std::string& table) const {
    const auto names = reading(path_, [&] {
        return column_of_texts(*database_,
                               "select name from sqlite_schema where type in ('table', 'view') "
                               "and name not like 'sqlite_%' order by name");
    });
    if (std::find(names.begin(), names.end(), table) == names.end()) {
        refuse(path_,
               fmt::format("it has no table \"{}\"; there are: {}", table, fmt::join(names, ", ")));
    }
    return reading(path_, [&] { return RecordedRows(*database_, path_, table); });
}

std::map<std::string, std::int64_t> RecordingReader::counts() const {
    return reading(path_, [&] {
        std::map<std::string, std::int64_t> result;
        for (const std::string& table :
             column_of_texts(*database_,
                             "select name from sqlite_schema where type = 'table' "
                             "and name not like 'sqlite_%'")) {
            Statement statement(*database_, fmt::format("select count(*) from \"{}\"", table));
            result[table] = statement.step() ? statement.integer(0) : 0;
        }
        return result;
    });
}

}  // namespace harness
