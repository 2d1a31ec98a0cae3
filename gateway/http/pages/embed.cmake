# gateway/http/pages/embed.cmake: writes generated/pages.cpp, the pages as strings.
set(pages ${CMAKE_SOURCE_DIR}/gateway/http/pages)
set(parts dashboard.html login.html style.css dashboard.js)
foreach(part IN LISTS parts)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${pages}/${part})
  string(MAKE_C_IDENTIFIER ${part} name)
  file(READ ${pages}/${part} ${name})
endforeach()
file(READ ${SLUICE_CHART_JS} chart_js)
foreach(page dashboard_html login_html)
  string(REPLACE "/* STYLE */" "${style_css}" ${page} "${${page}}")
  string(REPLACE "/* SCRIPT */" "${dashboard_js}" ${page} "${${page}}")
  string(REPLACE "/* CHART */" "${chart_js}" ${page} "${${page}}")
endforeach()
string(CONCAT made
  "// Written by gateway/http/pages/embed.cmake.\n"
  "#include \"gateway/http/page.hpp\"\n"
  "namespace sluice::gateway {\n"
  "const std::string_view dashboard_page = R\"~page~(${dashboard_html})~page~\";\n"
  "const std::string_view login_page = R\"~page~(${login_html})~page~\";\n"
  "}  // namespace sluice::gateway\n")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/pages.cpp CONTENT "@made@" @ONLY)
