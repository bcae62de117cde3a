package set

// Traits are what is special about a set, for those who train on it or open it anew. The
// table of sets has them; a set that it does not know has none.
type Traits struct {
	// Photographs are of the world, and what a network makes of them is the better the
	// longer its weights are averaged; signs and drawings are learnt before that.
	Photographs bool
	// Few images make a short pass: how long is trained is not said in passes.
	Few bool
	// Reference says that the reference system has the set, too.
	Reference bool
	// Sized pictures are of any size: they get that of the options, and the channels.
	Sized bool
	// Attributes are lists beside the pictures, one of which makes two classes of them.
	Attributes bool
}

// Varies tells whether the shape of the samples or their classes depend on options: of a set
// that a model was trained on, the model's record alone knows them.
func (t Traits) Varies() bool { return t.Sized || t.Attributes }
