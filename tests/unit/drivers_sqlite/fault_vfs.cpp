// tests/unit/drivers_sqlite/fault_vfs.cpp: a file system whose power can be cut.
#include "unit/drivers_sqlite/fault_vfs.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace sluice::sqlite {
namespace {

constexpr std::int64_t sector_size = 512;

struct file {
    sqlite3_file base;
    fault_vfs* on;
    std::string* path;  // null: temporary
    sqlite3_file* real;
};

file& of(sqlite3_file* raw)
{
    return *reinterpret_cast<file*>(raw);
}
bool is_log(const std::string& path)
{
    return path.ends_with("-wal");
}

int close(sqlite3_file* raw)
{
    auto& f = of(raw);
    const int code = f.real->pMethods ? f.real->pMethods->xClose(f.real) : SQLITE_OK;
    delete f.path;
    return code;
}
int read(sqlite3_file* raw, void* into, int count, sqlite3_int64 at)
{
    return of(raw).real->pMethods->xRead(of(raw).real, into, count, at);
}
int write(sqlite3_file* raw, const void* bytes, int count, sqlite3_int64 at)
{
    auto& f = of(raw);
    if (f.path && !f.on->takes(*f.path, at + count))
        return SQLITE_FULL;
    const int code = f.real->pMethods->xWrite(f.real, bytes, count, at);
    if (code == SQLITE_OK && f.path)
        f.on->note_write(*f.path, static_cast<const char*>(bytes), count, at);
    return code;
}
int truncate(sqlite3_file* raw, sqlite3_int64 size)
{
    auto& f = of(raw);
    const int code = f.real->pMethods->xTruncate(f.real, size);
    if (code == SQLITE_OK && f.path)
        f.on->note_truncate(*f.path, size);
    return code;
}
// Nothing reaches a real disk: what is durable is what this says.
int sync(sqlite3_file* raw, int)
{
    auto& f = of(raw);
    if (f.path && is_log(*f.path) && f.on->failing_flushes.load() > 0) {
        f.on->failing_flushes.fetch_sub(1);
        return SQLITE_IOERR_FSYNC;
    }
    if (f.path)
        f.on->note_flush(*f.path);
    return SQLITE_OK;
}
int file_size(sqlite3_file* raw, sqlite3_int64* size)
{
    return of(raw).real->pMethods->xFileSize(of(raw).real, size);
}
int lock(sqlite3_file* raw, int level)
{
    return of(raw).real->pMethods->xLock(of(raw).real, level);
}
int unlock(sqlite3_file* raw, int level)
{
    return of(raw).real->pMethods->xUnlock(of(raw).real, level);
}
int check_lock(sqlite3_file* raw, int* out)
{
    return of(raw).real->pMethods->xCheckReservedLock(of(raw).real, out);
}
int control(sqlite3_file* raw, int what, void* argument)
{
    return of(raw).real->pMethods->xFileControl(of(raw).real, what, argument);
}
int sector_bytes(sqlite3_file*)
{
    return sector_size;
}
int traits(sqlite3_file*)
{
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}
int shm_map(sqlite3_file* raw, int page, int size, int extend, void volatile** out)
{
    return of(raw).real->pMethods->xShmMap(of(raw).real, page, size, extend, out);
}
int shm_lock(sqlite3_file* raw, int offset, int count, int flags)
{
    return of(raw).real->pMethods->xShmLock(of(raw).real, offset, count, flags);
}
void shm_barrier(sqlite3_file* raw)
{
    of(raw).real->pMethods->xShmBarrier(of(raw).real);
}
int shm_unmap(sqlite3_file* raw, int remove)
{
    return of(raw).real->pMethods->xShmUnmap(of(raw).real, remove);
}

const sqlite3_io_methods methods = {2,
                                    close,
                                    read,
                                    write,
                                    truncate,
                                    sync,
                                    file_size,
                                    lock,
                                    unlock,
                                    check_lock,
                                    control,
                                    sector_bytes,
                                    traits,
                                    shm_map,
                                    shm_lock,
                                    shm_barrier,
                                    shm_unmap,
                                    nullptr,
                                    nullptr};

fault_vfs& owner(sqlite3_vfs* vfs)
{
    return *static_cast<fault_vfs*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* raw, int flags, int* out)
{
    auto& on = owner(vfs);
    auto& f = *new (raw) file{};
    f.on = &on;
    f.real = reinterpret_cast<sqlite3_file*>(&f + 1);
    const int code = on.real()->xOpen(on.real(), path, f.real, flags, out);
    f.base.pMethods = code == SQLITE_OK ? &methods : nullptr;
    if (code == SQLITE_OK && path && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL))) {
        f.path = new std::string(path);
        on.note_open(*f.path);
    }
    return code;
}
int remove(sqlite3_vfs* vfs, const char* path, int sync_folder)
{
    auto& on = owner(vfs);
    const int code = on.real()->xDelete(on.real(), path, sync_folder);
    on.forget(path);
    return code;
}

}  // namespace

fault_vfs::fault_vfs() : real_(sqlite3_vfs_find(nullptr))
{
    static std::atomic<int> number = 0;
    name_ = "fault" + std::to_string(++number);
    own_ = *real_;
    own_.zName = name_.c_str();
    own_.szOsFile = static_cast<int>(sizeof(file)) + real_->szOsFile;
    own_.pAppData = this;
    own_.pNext = nullptr;
    own_.xOpen = open;
    own_.xDelete = remove;
    // The rest of the real one's functions look at their own pAppData.
    own_.xAccess = [](sqlite3_vfs* v, const char* path, int flags, int* out) {
        auto* r = owner(v).real();
        return r->xAccess(r, path, flags, out);
    };
    own_.xFullPathname = [](sqlite3_vfs* v, const char* path, int size, char* out) {
        auto* r = owner(v).real();
        return r->xFullPathname(r, path, size, out);
    };
    sqlite3_vfs_register(&own_, 0);
}

fault_vfs::~fault_vfs()
{
    sqlite3_vfs_unregister(&own_);
}

void fault_vfs::cut(double share, std::function<void(image)> on_cut)
{
    const std::scoped_lock held(mutex_);
    share_ = share;
    on_cut_ = std::move(on_cut);
}
void fault_vfs::stop_cutting()
{
    cut(0, nullptr);
}

std::int64_t fault_vfs::note_open(const std::string& path)
{
    const std::scoped_lock held(mutex_);
    return files_[path].size;
}
void fault_vfs::forget(const std::string& path)
{
    const std::scoped_lock held(mutex_);
    files_.erase(path);
}

bool fault_vfs::takes(const std::string& path, std::int64_t end)
{
    const std::scoped_lock held(mutex_);
    const auto growth = end - files_[path].size;
    if (growth <= 0)
        return true;
    if (growth > room.load())
        return false;
    room.fetch_sub(growth);
    return true;
}

void fault_vfs::note_write(const std::string& path, const char* bytes, int count, std::int64_t at)
{
    const std::scoped_lock held(mutex_);
    moment();
    auto& f = files_[path];
    for (std::int64_t done = 0; done < count;) {
        const auto part = std::min(sector_size - (at + done) % sector_size, count - done);
        f.pending.push_back({at + done, {bytes + done, bytes + done + part}});
        done += part;
    }
    f.size = std::max(f.size, at + count);
}

void fault_vfs::note_truncate(const std::string& path, std::int64_t size)
{
    const std::scoped_lock held(mutex_);
    auto& f = files_[path];
    // As if at once: SQLite truncates only what nothing depends on any more.
    f.size = size;
    f.durable.resize(std::min(f.durable.size(), static_cast<std::size_t>(size)));
    std::erase_if(f.pending, [size](const sector& s) { return s.at >= size; });
}

void fault_vfs::note_flush(const std::string& path)
{
    const std::scoped_lock held(mutex_);
    moment();
    auto& f = files_[path];
    for (const auto& s : f.pending) {
        const auto end = static_cast<std::size_t>(s.at) + s.bytes.size();
        if (f.durable.size() < end)
            f.durable.resize(end);
        std::copy(s.bytes.begin(), s.bytes.end(), f.durable.begin() + s.at);
    }
    f.pending.clear();
}

std::vector<char> fault_vfs::after_cut(const content& of)
{
    auto bytes = of.durable;
    // All, none or some of what was not flushed, in any order.
    const int kind = std::uniform_int_distribution(0, 3)(random_);
    const double kept = kind == 0 ? 0.0 : kind == 1 ? 1.0 : kind == 2 ? 0.5 : 0.95;
    std::bernoulli_distribution keep(kept);
    for (const auto& s : of.pending) {
        if (!keep(random_))
            continue;
        const auto end = static_cast<std::size_t>(s.at) + s.bytes.size();
        if (bytes.size() < end)
            bytes.resize(end);
        std::copy(s.bytes.begin(), s.bytes.end(), bytes.begin() + s.at);
    }
    return bytes;
}

void fault_vfs::moment()
{
    if (!on_cut_ || !std::bernoulli_distribution(share_)(random_))
        return;
    image disk;
    for (const auto& [path, f] : files_) {
        const auto name = path.find_last_of("/");
        disk[path.substr(name + 1)] = after_cut(f);
    }
    on_cut_(std::move(disk));
}

}  // namespace sluice::sqlite
