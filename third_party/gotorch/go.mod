module github.com/wangkuiyi/gotorch

go 1.26
