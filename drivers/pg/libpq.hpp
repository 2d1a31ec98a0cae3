// drivers/pg/libpq.hpp: libpq's types with owners; the only place that includes libpq-fe.h.
//
// Layer: drivers. An owner frees on any thread, but a PGconn is used by one thread at a time.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace sluice::pg {

struct conn_delete {
    void operator()(PGconn* conn) const noexcept { PQfinish(conn); }
};
struct cancel_delete {
    void operator()(PGcancel* cancel) const noexcept { PQfreeCancel(cancel); }
};
struct result_delete {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
struct memory_delete {
    void operator()(char* text) const noexcept { PQfreemem(text); }
};
struct conninfo_delete {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

using conn_ptr = std::unique_ptr<PGconn, conn_delete>;
using cancel_ptr = std::unique_ptr<PGcancel, cancel_delete>;
using result_ptr = std::unique_ptr<PGresult, result_delete>;
using text_ptr = std::unique_ptr<char, memory_delete>;
using conninfo_ptr = std::unique_ptr<PQconninfoOption, conninfo_delete>;

}  // namespace sluice::pg
