package datasets

import (
	"strings"

	"flowmatch/datasets/set"
)

// Traits are what is special about a set.
type Traits = set.Traits

// TraitsOf are those of the set of that name, none of an unknown one.
func TraitsOf(name string) Traits {
	if e, err := find(name); err == nil {
		return e.traits
	}
	return Traits{}
}

// WithTrait lists the sets that have a trait, in the order in which they are shown.
func WithTrait(has func(Traits) bool) []string {
	var names []string
	for _, e := range registry {
		if has(e.traits) {
			names = append(names, e.info.Name)
		}
	}
	return names
}

// Again is o for opening a set as in describes it: a model's record says what the set was
// that it was trained on. Pictures get the size and the channels that they had, and those of
// two classes the attribute that made them.
func (o Options) Again(in Info) Options {
	if len(in.Shape) == 3 {
		o.Channels, o.ImageSize = in.Shape[0], in.Shape[1]
	}
	if TraitsOf(in.Name).Attributes && in.Classes() == 2 {
		o.Attribute = in.ClassNames[1] // see AttributeClasses
	}
	return o
}

// Lost is the kind of a user's own files, as "folder:DIR", of which a record has the name
// alone, as in folder-cats: it does not know where they are. It is "" for the name of
// another set, or one that is whole.
func Lost(name string) string {
	for _, e := range registry {
		if kind, _, own := strings.Cut(e.info.Name, ":"); own && strings.HasPrefix(name, kind+"-") {
			return e.info.Name
		}
	}
	return ""
}
