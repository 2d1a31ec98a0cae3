// drivers/sqlite/ownership.hpp: what must be true of a file before it is served: one name, a local
// disk, one owner.
//
// Layer: drivers, private to this folder. Blocks; for opening.
#pragma once

#include <string>

#include "drivers/sqlite/values.hpp"

namespace sluice::sqlite {

// False and `why`: a file with a second name (hard link) would have two logs and be corrupted; on a
// network file system neither the log's shared memory nor its locks can be trusted.
bool may_serve(const std::string& path, sql_error& why);

// Other programs may use the file beside us (SQLite's locks see to that); two gateways may not:
// each believes that it alone writes and flushes. The mark is a lock on the -wal file, which
// carries none of SQLite's, and which the kernel drops when the process ends however it ends.
class owner_lock {
public:
    owner_lock() = default;
    ~owner_lock();
    owner_lock(const owner_lock&) = delete;
    owner_lock& operator=(const owner_lock&) = delete;

    // After the file has been opened: the -wal is there, and stays while a connection is.
    bool take(const std::string& path, sql_error& why);
    void release() noexcept;

private:
    int fd_ = -1;
};

}  // namespace sluice::sqlite
