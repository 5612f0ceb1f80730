# The command line without its verbs: each test links the files it is about.
UNIT_TESTS += \
	tests/unit/cmd/slipway/build/failure_test \
	tests/unit/cmd/slipway/build/flags_test \
	tests/unit/cmd/slipway/cli_test \
	tests/unit/cmd/slipway/docs_test \
	tests/unit/cmd/slipway/doctor/version_test \
	tests/unit/cmd/slipway/environ_test \
	tests/unit/cmd/slipway/progress/picture_test \
	tests/unit/cmd/slipway/progress/printer_test \
	tests/unit/cmd/slipway/report/html_test \
	tests/unit/cmd/slipway/table_test \
	tests/unit/cmd/slipway/template_test
tests_unit_cmd_slipway_build_failure_test_SOURCES = \
	tests/unit/cmd/slipway/build/failure_test.c cmd/slipway/build/excerpt.c \
	cmd/slipway/build/hints.c cmd/slipway/progress/width.c cmd/slipway/term.c
tests_unit_cmd_slipway_cli_test_SOURCES = tests/unit/cmd/slipway/cli_test.c \
	tests/unit/cmd/slipway/program.h cmd/slipway/cli.c cmd/slipway/cli_check.c
tests_unit_cmd_slipway_docs_test_SOURCES = tests/unit/cmd/slipway/docs_test.c \
	tests/unit/cmd/slipway/program.h cmd/slipway/cli.c cmd/slipway/cli_bash.c \
	cmd/slipway/cli_help.c cmd/slipway/cli_man.c cmd/slipway/term.c
tests_unit_cmd_slipway_table_test_SOURCES = tests/unit/cmd/slipway/table_test.c \
	cmd/slipway/table.c cmd/slipway/term.c
tests_unit_cmd_slipway_doctor_version_test_SOURCES = \
	tests/unit/cmd/slipway/doctor/version_test.c cmd/slipway/doctor/version.c
tests_unit_cmd_slipway_environ_test_SOURCES = tests/unit/cmd/slipway/environ_test.c \
	cmd/slipway/environ.c cmd/slipway/term.c
tests_unit_cmd_slipway_progress_picture_test_SOURCES = \
	tests/unit/cmd/slipway/progress/picture_test.c \
	$(PROGRESS_SOURCES) \
	cmd/slipway/term.c
tests_unit_cmd_slipway_progress_printer_test_SOURCES = \
	tests/unit/cmd/slipway/progress/printer_test.c \
	$(PROGRESS_SOURCES) \
	cmd/slipway/term.c
tests_unit_cmd_slipway_template_test_SOURCES = tests/unit/cmd/slipway/template_test.c \
	cmd/slipway/template.c
tests_unit_cmd_slipway_build_flags_test_SOURCES = \
	tests/unit/cmd/slipway/build/flags_test.c cmd/slipway/cli.c \
	cmd/slipway/build/context.c cmd/slipway/build/flags.c cmd/slipway/build/input.c cmd/slipway/build/named.c \
	cmd/slipway/build/opts.c cmd/slipway/build/spool.c
tests_unit_cmd_slipway_report_html_test_SOURCES = \
	tests/unit/cmd/slipway/report/html_test.c cmd/slipway/report/html.c
