// gateway/relay/my_database.hpp: one pool of MySQL connections and what its clients share.
//
// Layer: gateway/relay. Thread-safe. Held by its clients and by the table of databases.
#pragma once

#include <string>

#include "gateway/relay/my_statements.hpp"
#include "gateway/relay/relay_database.hpp"

namespace sluice::gateway {

class my_database final : public relay_database {
public:
    my_database(const database& entry, pool_mode mode, std::string schema)
        : relay_database(entry, mode), schema_(std::move(schema))
    {
    }

    // The server's name of the database that clients begin in; may be empty.
    const std::string& schema() const noexcept { return schema_; }
    my_statement_table& statements() noexcept { return statements_; }

private:
    const std::string schema_;
    my_statement_table statements_;
};

}  // namespace sluice::gateway
