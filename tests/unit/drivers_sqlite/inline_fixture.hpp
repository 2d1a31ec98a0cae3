// tests/unit/drivers_sqlite/inline_fixture.hpp: asks inside the loop what a client would ask there.
#pragma once

#include <asio/post.hpp>

#include "unit/drivers_sqlite/fixture.hpp"

namespace sluice::sqlite {

// Forgets, as the protocols' encoders do.
class rows_held final : public rows_kept {
public:
    bool can_rewind() const noexcept override { return true; }
    void hold(bool) override {}
    void rewind() override
    {
        rows.clear();
        count = 0;
    }
};

class InlineTest : public SqliteTest {
protected:
    // The first value of the first row; "worker" when it would not run inside the loop.
    std::string now(client& who, std::string sql, std::vector<value> parameters = {})
    {
        std::promise<std::string> promise;
        asio::post(loop_, [&] {
            auto kept = std::make_shared<rows_held>();
            request what;
            what.sql = text_of(sql);
            what.parameters = parameters;
            what.sink = kept;
            const auto done = who.raw().execute_now(what);
            if (!done)
                return promise.set_value(kept->rows.empty() ? "worker" : "worker, with rows");
            if (done->error)
                return promise.set_value(done->error->sqlstate);
            promise.set_value(kept->rows.empty() ? "no row" : kept->rows[0][0]);
        });
        return promise.get_future().get();
    }
};

}  // namespace sluice::sqlite
