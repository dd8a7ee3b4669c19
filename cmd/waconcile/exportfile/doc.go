// Package exportfile writes message exports that are made up: Parquet files
// from rows of any type, column by column.
//
// A Column says what its field of the schema is and how a row gives the value.
// A Set lends writers to goroutines, one a file, and adds up what they wrote.
// A writer's buffers hold one column of one row group, whatever the size of
// the file, and the bytes of a file follow from its rows alone.
package exportfile
