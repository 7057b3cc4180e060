// Package tflite is the TFLite file: an object model, a reader for files from anywhere, a writer, and a text dump.
//
// The flatbuffers accessors in internal/fb are generated from schema/temper.fbs, which holds the tables that Temper uses with TFLite's field
// ids and union numbers (flatc 2.0.8, Debian's flatbuffers-compiler).
package tflite

//go:generate flatc --go -o internal schema/temper.fbs
