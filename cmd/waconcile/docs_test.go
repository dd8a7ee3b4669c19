package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeShowsTheDemo holds the block of README.md that shows what the demo
// prints against what it prints: line by line, where … stands for anything,
// and alone on a line for any lines.
func TestReadmeShowsTheDemo(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), programName, "demo")
	cmd.Dir = t.TempDir()
	printed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	shown := blockAfter(t, filepath.Join("..", "..", "README.md"), "go run ./cmd/waconcile demo")
	pattern := regexp.QuoteMeta(strings.Join(shown, "\n"))
	pattern = strings.ReplaceAll(pattern, "\n…\n", "\n(?:.*\n)*?")
	pattern = strings.ReplaceAll(strings.TrimSuffix(pattern, "\n…"), "…", ".*")
	if len(shown) < 10 || !regexp.MustCompile("^"+pattern+"\n").Match(printed) {
		t.Errorf("README.md shows\n%s\nand the demo prints\n%s", strings.Join(shown, "\n"), printed)
	}
}

// blockAfter gives the lines of the first block marked text below a line.
func blockAfter(t *testing.T, file, line string) []string {
	t.Helper()
	var block []string
	found, inside := false, false
	for _, l := range linesOf(t, file) {
		switch {
		case inside && l == "```":
			return block
		case inside:
			block = append(block, l)
		case found && l == "```text":
			inside = true
		case l == line:
			found = true
		}
	}
	t.Fatalf("%s: no block of text below %q", file, line)
	return nil
}

// TestDocumentedCommands runs, in an empty directory and in their order, the
// commands of this program that README.md shows in a block marked sh, and
// those of the package's comment that begin with the demo.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T) []string{"README.md": readmeCommands, "doc.go": docCommands}
	for name, commands := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, lines := t.TempDir(), commands(t)
			if len(lines) < 3 {
				t.Fatalf("only %d commands: %q", len(lines), lines)
			}
			for _, line := range lines {
				cmd := exec.CommandContext(t.Context(), programName, strings.Fields(line)[1:]...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", line, err, out)
				}
			}
		})
	}
}

// readmeCommands gives the lines of sh blocks that run this program.
func readmeCommands(t *testing.T) []string {
	t.Helper()
	var commands []string
	shell := false
	for _, line := range linesOf(t, filepath.Join("..", "..", "README.md")) {
		if strings.HasPrefix(line, "```") {
			shell = line == "```sh"
			continue
		}
		if rest, ok := strings.CutPrefix(line, "go run ./cmd/"); ok && shell {
			commands = append(commands, rest)
		}
	}
	return commands
}

// docCommands gives the block of the package comment that begins with the
// demo.
func docCommands(t *testing.T) []string {
	t.Helper()
	var commands []string
	for _, line := range linesOf(t, "doc.go") {
		command, ok := strings.CutPrefix(line, "//\t"+programName+" ")
		if ok && strings.HasPrefix(command, "demo --dir") || ok && len(commands) > 0 {
			commands = append(commands, programName+" "+command)
		} else if len(commands) > 0 {
			break
		}
	}
	return commands
}

func linesOf(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range bytes.Lines(data) {
		lines = append(lines, strings.TrimRight(string(line), "\n"))
	}
	return lines
}
