// Package writertest has a writer.Target in memory, for tests.
package writertest
