// The text of schema.sql, built into the library so that a recorder needs no file beside it.
// Constants; any thread may read them.
#pragma once

namespace harness {

extern const char* const schema_sql;

/// `pragma application_id` of a recording: "WWEP".
constexpr int recording_application_id = 0x57574550;
/// `pragma user_version` of the recordings that this rig writes.
constexpr int recording_version = 2;

}  // namespace harness
