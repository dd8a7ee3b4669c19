package main

import (
	"os"
	"path/filepath"
	"strings"

	"waconcile/batch"
)

// selfCommand is how this program was called, for the commands that it
// suggests: the name alone, or go run for a program that go run has built.
func selfCommand() string {
	if path, err := os.Executable(); err == nil && strings.Contains(filepath.ToSlash(path), "/go-build") {
		return "go run ./cmd/waconcile"
	}
	return programName
}

// verifyCommand is the command that checks the run of a period.
func (s *settings) verifyCommand(p batch.Period) string {
	words := []string{selfCommand(), "verify", "--out", shellWord(s.out), "--period", strings.Replace(p.String(), "_", "..", 1)}
	if s.s3Endpoint != "" {
		words = append(words, "--s3-endpoint", shellWord(s.s3Endpoint))
	}
	if s.s3PathStyle {
		words = append(words, "--s3-path-style")
	}
	return strings.Join(words, " ")
}

// shellWord quotes text where a shell would take it apart.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,~", r)
	}
	if text != "" && strings.TrimFunc(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
