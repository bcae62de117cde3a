// Package licences has the licences of all that is in a program of ours: each module by its
// name and version, Go itself, and the digits. scripts/licences brings the texts up to date.
package licences

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed texts
var texts embed.FS

// Text is all of them, flowmatch's own first.
func Text() string {
	var b strings.Builder
	entries, err := fs.ReadDir(texts, "texts")
	if err != nil {
		panic(err) // it is embedded
	}
	write := func(name string) {
		text, err := fs.ReadFile(texts, "texts/"+name)
		if err != nil {
			panic(err)
		}
		title := strings.ReplaceAll(strings.TrimSuffix(name, ".txt"), "_", "/")
		b.WriteString("==== " + title + "\n\n" + strings.TrimSpace(string(text)) + "\n\n")
	}
	write(own)
	for _, e := range entries {
		if e.Name() != own {
			write(e.Name())
		}
	}
	b.WriteString(libraries)
	return b.String()
}

const own = "flowmatch.txt"

const libraries = `==== libtorch and CUDA

are opened when a program starts to compute, and are not part of it. Their licences lie beside
them as they were published: third_party/libtorch/*.dist-info, in PyTorch's installation, or in
the folder that LIBTORCH names. NVIDIA's libraries are under NVIDIA's end-user licence agreement.
`
