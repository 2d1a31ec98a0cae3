// tests/unit/gateway_statistics/exposition_test.cpp: the text that Prometheus reads.
#include "gateway/statistics/exposition.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway::statistics {
namespace {

TEST(Exposition, FamiliesAndSamples)
{
    exposition out(100);
    out.family("sluice_a_total", "counter", "How many.");
    out.sample(labels(), std::uint64_t{7});
    out.sample(labels().add("pool", "app").add("tenant", "x"), 0.25);
    EXPECT_EQ(out.take(),
              "# HELP sluice_a_total How many.\n"
              "# TYPE sluice_a_total counter\n"
              "sluice_a_total 7\n"
              "sluice_a_total{pool=\"app\",tenant=\"x\"} 0.25\n");
}

TEST(Exposition, LabelsAreEscapedAndUtf8)
{
    EXPECT_EQ(labels().add("a", "q\"b\\s\nn").text(), "a=\"q\\\"b\\\\s\\nn\"");
    EXPECT_EQ(labels().add("a", "äö\xF0\x9F\x90\xA7").text(), "a=\"äö\xF0\x9F\x90\xA7\"");
    EXPECT_EQ(labels().add("a", "x\xff\xc3(\xe2\x82").text(),
              "a=\"x?"
              "?(?"
              "?\"");
    EXPECT_EQ(labels().add("a", std::string_view("\xc0\xaf", 2)).text(), "a=\"??\"");
}

TEST(Exposition, HistogramsAreCumulativeInSeconds)
{
    small_histogram all;
    all.record(nanoseconds(1 << 19), 2);
    all.record(nanoseconds(1 << 20));
    all.record(std::chrono::seconds(1000));
    exposition out(100);
    out.family("h", "histogram", "x");
    out.histogram_sample(labels().add("l", "v"), all.read(), 19, 21);
    const auto text = out.take();
    EXPECT_NE(text.find("h_bucket{l=\"v\",le=\"0.000524288\"} 0\n"), std::string::npos) << text;
    EXPECT_NE(text.find("h_bucket{l=\"v\",le=\"0.001048576\"} 2\n"), std::string::npos) << text;
    EXPECT_NE(text.find("h_bucket{l=\"v\",le=\"0.002097152\"} 3\n"), std::string::npos) << text;
    EXPECT_NE(text.find("h_bucket{l=\"v\",le=\"+Inf\"} 4\n"), std::string::npos) << text;
    EXPECT_NE(text.find("h_count{l=\"v\"} 4\n"), std::string::npos) << text;
    EXPECT_NE(text.find("h_sum{l=\"v\"} 1000.00"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice::gateway::statistics
