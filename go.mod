module github.com/skeindb/skein

go 1.26
