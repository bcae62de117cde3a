package datasets

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/picture"
	"flowmatch/datasets/set"
)

const (
	largestImageSize = 4096
	mostClasses      = 256 // labels are bytes
)

// lookFolder is what the names in folder:DIR tell: a class for each sub-folder, in
// their natural order. The size of the pictures, where none is asked for, and whether
// they have colours shows when they are read.
func lookFolder(info Info, opts Options) (Info, error) {
	size := opts.ImageSize
	switch {
	case size < 0 || size > largestImageSize:
		return info, fmt.Errorf("image size %d: it is 1 to %d", size, largestImageSize)
	case opts.Channels != 0 && opts.Channels != 1 && opts.Channels != 3:
		return info, fmt.Errorf("%d channels: pictures have 1 or 3", opts.Channels)
	}
	if size > 0 {
		info.Shape = []int{3, size, size}
		if opts.Channels != 0 {
			info.Shape[0] = opts.Channels
		}
	}
	tree, err := listClasses(info)
	info.ClassNames = tree.classes
	return info, err
}

// folderTree is the classes of folder:DIR and, once listed, their pictures.
type folderTree struct {
	set, dir string
	classes  []string     // names of the sub-folders, in natural order; nil: the pictures lie in dir itself, in no classes
	split    *folderSplit // where they lie in; nil: in dir itself
	pictures []folderFile // by class, then by path
	warnings []string

	entered map[fileID]bool // folders that have been listed or are about to be
	others  map[string]int  // files of no known ending -> how many
}

type folderFile struct {
	path  string // below dir
	class int
}

// fileID tells whether two paths lead to one folder.
type fileID struct{ device, inode uint64 }

func idOf(info fs.FileInfo) fileID {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return fileID{uint64(s.Dev), s.Ino}
	}
	return fileID{}
}

func (t *folderTree) fault(path, fault string, remedy Remedy, err error) error {
	return &FileError{Set: t.set, File: path, Fault: fault, Remedy: remedy, Err: err}
}

// savedAs is what to do about pictures of another kind.
const savedAs = "save them as PNG or JPEG, as ImageMagick's mogrify -format png does"

const layout = "it must have pictures in it (" + picture.Formats + "), or one sub-folder of them per class"

// listClasses lists the sub-folders of folder:DIR. Hidden ones do not count, nor
// links that lead to the folder itself, to one above it or to a class that is there
// already.
func listClasses(info Info) (*folderTree, error) {
	_, dir, _ := strings.Cut(info.Name, ":")
	t := &folderTree{set: "folder", dir: dir, entered: map[fileID]bool{}, others: map[string]int{}}
	entries, err := os.ReadDir(dir)
	switch {
	case userfile.Absent(err) && userfile.Exists(dir):
		return t, t.fault(dir, "not a folder", insteadOf(dir), err)
	case userfile.Absent(err):
		return t, t.fault(dir, "not found", "check the path: "+layout, err)
	case err != nil:
		return t, t.fault(dir, userfile.PlainCause(err), "make it readable", err)
	}
	t.enterAncestors()
	folders, loose := t.listFolders("", entries)
	t.split = splitOf(folders, t.hasFolders)
	if t.split != nil {
		t.warn("%s", t.split.note)
		dir = filepath.Join(dir, t.split.train)
		if entries, err = os.ReadDir(dir); err != nil {
			return t, t.fault(dir, userfile.PlainCause(err), "make it readable", err)
		}
		folders, loose = t.listFolders(t.split.train, entries)
	}
	t.classes = folders
	slices.SortFunc(t.classes, compareNatural)
	switch {
	case len(t.classes) == 0 && loose > 0:
		t.warn("the pictures lie in no sub-folders: they are a set without classes")
	case len(t.classes) == 0:
		return t, t.noPictures(dir, entries)
	case len(t.classes) > mostClasses:
		return t, t.fault(dir, fmt.Sprintf("%d sub-folders", len(t.classes)), Remedy(fmt.Sprintf("at most %d classes are possible", mostClasses)), nil)
	case loose > 0:
		t.warn("%d %s beside the classes' folders: passed over", loose, set.Noun(loose, "picture"))
	}
	if len(t.classes) == 1 {
		t.noteDeeper()
	}
	return t, nil
}

// noteDeeper says of a lone class whether it may be the classes that lie in it, as where a
// packed file has unpacked into a folder of its own.
func (t *folderTree) noteDeeper() {
	below := t.classes[0]
	if t.split != nil {
		below = filepath.Join(t.split.train, below)
	}
	entries, _ := os.ReadDir(filepath.Join(t.dir, below))
	var names []string
	for _, e := range entries {
		if e.IsDir() && !hidden(e.Name()) {
			names = append(names, e.Name())
		}
	}
	if len(names) > 1 && t.split == nil {
		t.warn("all is one class, %s; if the folders in it are the classes (%s), the set is folder:%s", t.classes[0], set.FirstOf(names), filepath.Join(t.dir, below))
	}
}

// insteadOf is what to do about a file that is named where a folder is meant.
func insteadOf(path string) Remedy {
	switch {
	case packed(path):
		return Remedy("unpack it, and name the folder that its pictures are in")
	case picture.HasEnding(path):
		return Remedy("name the folder that it lies in; one picture as a density of points is the set image:" + path)
	}
	return layout
}

// packed tells the names of files that have others in them.
func packed(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar":
		return true
	}
	return false
}

// noPictures says what there is instead, where people would take it for pictures.
func (t *folderTree) noPictures(dir string, entries []fs.DirEntry) error {
	others, packs := map[string]int{}, map[string]int{}
	for _, e := range entries {
		switch ending := strings.ToLower(filepath.Ext(e.Name())); {
		case hidden(e.Name()) || e.IsDir():
		case picture.HasOtherEnding(e.Name()):
			others[ending]++
		case packed(e.Name()):
			packs[ending]++
		}
	}
	if len(others) == 0 && len(packs) > 0 {
		return t.fault(dir, countEndings(packs)+", and no pictures", "unpack what the pictures are in", nil)
	}
	if len(others) > 0 {
		return t.fault(dir, countEndings(others)+", which are not read, and no other pictures", savedAs, nil)
	}
	return t.fault(dir, "no pictures in it", layout, nil)
}

// listFolders are the folders among the entries of a folder below dir, and how many
// pictures lie beside them. Links come last, so that none takes a folder's place.
func (t *folderTree) listFolders(below string, entries []fs.DirEntry) (folders []string, loose int) {
	for _, links := range []bool{false, true} {
		for _, e := range entries {
			if hidden(e.Name()) || (e.Type()&fs.ModeSymlink != 0) != links {
				continue
			}
			stat, err := os.Stat(filepath.Join(t.dir, below, e.Name()))
			switch {
			case err != nil: // a link to nowhere
			case stat.IsDir() && t.enter(stat):
				folders = append(folders, e.Name())
			case stat.IsDir():
				t.warn("%s leads to a folder that is used already: passed over", filepath.Join(below, e.Name()))
			case picture.HasEnding(e.Name()):
				loose++
			}
		}
	}
	return folders, loose
}

// hasFolders tells whether a folder below dir has folders in it that are not hidden.
func (t *folderTree) hasFolders(name string) bool {
	entries, _ := os.ReadDir(filepath.Join(t.dir, name))
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		if hidden(e.Name()) {
			return false
		}
		stat, err := os.Stat(filepath.Join(t.dir, name, e.Name()))
		return err == nil && stat.IsDir()
	})
}

func (t *folderTree) warn(format string, args ...any) {
	t.warnings = append(t.warnings, fmt.Sprintf("%s: %s", t.dir, fmt.Sprintf(format, args...)))
}

// enter notes a folder, and says whether it is a new one.
func (t *folderTree) enter(info fs.FileInfo) bool {
	id := idOf(info)
	if t.entered[id] {
		return false
	}
	t.entered[id] = true
	return true
}

// enterAncestors notes the folder itself and all above it, where links may lead.
func (t *folderTree) enterAncestors() {
	path, err := filepath.Abs(t.dir)
	if err != nil {
		return
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	for {
		if info, err := os.Stat(path); err == nil {
			t.enter(info)
		}
		up := filepath.Dir(path)
		if up == path {
			return
		}
		path = up
	}
}

// listPictures lists the pictures of a part of all classes, those in folders below a
// class too.
func (t *folderTree) listPictures(part Split, stop func() error) error {
	root := ""
	switch {
	case t.divided() && part == Test:
		root = t.split.test
		t.warnOfOthers(root)
	case t.split != nil:
		root = t.split.train
	}
	if t.classes == nil {
		if err := t.listBelow(root, 0, stop); err != nil {
			return err
		}
	}
	others := map[string]int{}
	for class, name := range t.classes {
		before := len(t.pictures)
		t.others = map[string]int{}
		name = filepath.Join(root, name)
		if t.divided() && part == Test && !userfile.Exists(filepath.Join(t.dir, name)) {
			continue
		}
		if err := t.listBelow(name, class, stop); err != nil {
			return err
		}
		if len(t.pictures) == before && !(t.divided() && part == Test) {
			what, remedy := "no pictures in it", Remedy("put pictures there, or move the sub-folder away")
			if len(t.others) > 0 {
				what, remedy = "no pictures in it that are read, but "+countEndings(t.others), savedAs
			}
			return t.fault(filepath.Join(t.dir, name), what, remedy, nil)
		}
		for ending, n := range t.others {
			others[ending] += n
		}
	}
	if len(t.pictures) == 0 {
		return t.fault(filepath.Join(t.dir, root), "no pictures of the classes of "+t.split.train, layout, nil)
	}
	if t.classes != nil {
		t.others = others
	}
	if len(t.others) > 0 {
		t.warn("%s: passed over, only %s are read", countEndings(t.others), picture.Formats)
	}
	return nil
}

// countEndings says how many files there are of each ending.
func countEndings(n map[string]int) string {
	var all []string
	for _, ending := range slices.Sorted(maps.Keys(n)) {
		all = append(all, fmt.Sprintf("%d %s", n[ending], ending))
	}
	total := 0
	for _, k := range n {
		total += k
	}
	return strings.Join(all, ", ") + " " + set.Noun(total, "file")
}

// warnOfOthers notes classes of the test part that nothing is trained on.
func (t *folderTree) warnOfOthers(test string) {
	entries, _ := os.ReadDir(filepath.Join(t.dir, test))
	var others []string
	for _, e := range entries {
		if e.IsDir() && !hidden(e.Name()) && !slices.Contains(t.classes, e.Name()) {
			others = append(others, e.Name())
		}
	}
	if len(others) > 0 {
		t.warn("%s has classes that %s has not, and they are passed over: %s", test, t.split.train, set.FirstOf(others))
	}
}

// divided tells whether there are pictures for tests alone.
func (t *folderTree) divided() bool { return t.split != nil && t.split.test != "" }

func (t *folderTree) listBelow(below string, class int, stop func() error) error {
	if err := stop(); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(t.dir, below)) // sorted
	if err != nil {
		return t.fault(filepath.Join(t.dir, below), userfile.PlainCause(err), "make it readable", err)
	}
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		path := filepath.Join(below, e.Name())
		isDir, isFile := e.IsDir(), e.Type().IsRegular()
		if isDir || e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(filepath.Join(t.dir, path))
			if err != nil {
				continue // a link to nowhere
			}
			isFile = info.Mode().IsRegular()
			if info.IsDir() {
				if !t.enter(info) {
					continue // a loop, or another class
				}
				if err := t.listBelow(path, class, stop); err != nil {
					return err
				}
				continue
			}
		}
		switch {
		case !isFile: // pipes and the like
		case picture.HasEnding(e.Name()):
			t.pictures = append(t.pictures, folderFile{path, class})
		case picture.HasOtherEnding(e.Name()):
			t.others[strings.ToLower(filepath.Ext(e.Name()))]++
		}
	}
	return nil
}

// hidden tells names that people do not see, and the folders that their systems leave among
// their own: of a packed file's from macOS, of a network drive, of a waste bin.
func hidden(name string) bool {
	switch name {
	case "__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found":
		return true
	}
	return strings.HasPrefix(name, ".")
}
