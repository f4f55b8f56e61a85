//go:build !race

package table

const scale = 1
