// gateway/pg_errors.hpp: errors of the table (gateway/errors.hpp) as PostgreSQL messages.
//
// Layer: gateway.
#pragma once

#include <string_view>

#include "gateway/errors.hpp"
#include "proto/pg/messages.hpp"

namespace sluice::gateway {

// An empty message or hint is the table's. `fatal`: the connection ends with it.
inline void append_pg_error(byte_queue& out,
                            client_error code,
                            bool fatal,
                            std::string_view message = {},
                            std::string_view hint = {})
{
    const error_rule& rule = rule_for(code);
    pg::error_fields fields;
    fields.severity = fatal ? "FATAL" : "ERROR";
    fields.sqlstate = rule.sqlstate;
    fields.message = message.empty() ? rule.message : message;
    fields.hint = hint.empty() ? rule.hint : hint;
    pg::append_error(out, fields);
}

}  // namespace sluice::gateway
