// gateway/sqlite_files.hpp: the SQLite files that are served, opened at start.
//
// Layer: gateway. open() and close() on the main thread; find() on any while they do not run.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "drivers/sqlite/engine.hpp"
#include "gateway/config/config.hpp"
#include "gateway/deadlines/time_limits.hpp"

namespace sluice::gateway {

class sqlite_files {
public:
    // Opens every file of the configuration. Empty, or what is wrong with which.
    std::string open(const config& settings);
    // Null: not a SQLite database.
    std::shared_ptr<sqlite::database> find(const std::string& name) const;
    // How long its clients' statements and transactions may take; a reload may change it.
    std::shared_ptr<live_limits> limits(const std::string& name) const;
    // Statements that run have `grace` to end. Blocks.
    void close(std::chrono::milliseconds grace);

private:
    std::map<std::string, std::shared_ptr<sqlite::database>> files_;  // shared with their clients
    std::map<std::string, std::shared_ptr<live_limits>> limits_;      // the same
};

}  // namespace sluice::gateway
