// Package readertest has a reader.Source in memory, for tests.
package readertest
