package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"

	"waconcile/batch"
	"waconcile/writer"

	"github.com/spf13/cobra"
)

const programName = "waconcile"

// programVersion is the version that the build was stamped with: a tag, a
// revision, or (devel).
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	return cmp.Or(info.Main.Version, "(devel)")
}

func newVersionCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of the program, the rules and the published format",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.version(cmd) },
	}
	a.settings.commonFlags(cmd.Flags())
	return cmd
}

// versions is what version prints.
type versions struct {
	Program string `json:"program"`
	Rules   string `json:"rules"`
	Format  int    `json:"format"`
}

func (a *app) version(cmd *cobra.Command) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	v := versions{Program: programVersion(), Rules: batch.RulesVersion, Format: writer.FormatVersion}
	if a.settings.json {
		return printJSON(a.stdout, v)
	}
	_, err := fmt.Fprintf(a.stdout, "%s %s\nrules %s\nformat %d\n", programName, v.Program, v.Rules, v.Format)
	return err
}

// printJSON writes v as one object on a line of its own.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
