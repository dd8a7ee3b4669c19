package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// The values of --log-format.
const (
	logAuto = "auto"
	logText = "text"
	logJSON = "json"
)

// isTerminal tells whether what is written to w is seen by a person at once.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// jsonLogs tells whether log lines are JSON.
func jsonLogs(format string, w io.Writer) bool {
	return format == logJSON || format != logText && !isTerminal(w)
}

func newLogger(format string, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if jsonLogs(format, w) {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// checkLogFormat refuses a format that is none.
func checkLogFormat(format string) error {
	switch format {
	case logAuto, logText, logJSON:
		return nil
	}
	return fmt.Errorf("%w: --log-format %q is none of auto, text, json", errUsage, format)
}

// reportFailure writes the last line of a command that failed: what failed,
// and what to do next.
func reportFailure(ctx context.Context, format string, w io.Writer, err error, code int, next string) {
	if jsonLogs(format, w) {
		newLogger(format, w).LogAttrs(ctx, slog.LevelError, "failed",
			slog.String("error", oneLine(err)), slog.String("next", next), slog.Int("exit_code", code))
		return
	}
	fmt.Fprintf(w, "waconcile: %s; %s\n", oneLine(err), next)
}
