package datasets

// Batches deals the images out by a [Loader].
func (im *Images) Batches(c BatchConfig) (Batches, error) {
	l, err := NewLoader(im, LoaderConfig{BatchSize: c.Size, Seed: c.Seed, StartStep: c.Start, HorizontalFlip: c.HorizontalFlip})
	if err != nil {
		return nil, err
	}
	return &dealt{Loader: l}, nil
}

// dealt gives each of a loader's batches back when the next one is asked for.
type dealt struct {
	*Loader
	held *Batch
}

// Next: x: [B,C,H,W], y: [B] or nil.
func (d *dealt) Next() (x []float32, y []int64, err error) {
	if d.held != nil {
		d.held.Release()
	}
	if d.held, err = d.Loader.Next(); err != nil {
		return nil, nil, err
	}
	return d.held.X, d.held.Y, nil
}
