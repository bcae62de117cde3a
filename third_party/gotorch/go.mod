module github.com/wangkuiyi/gotorch

go 1.26

require (
	github.com/stretchr/testify v1.9.0
	github.com/x448/float16 v0.8.4
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
