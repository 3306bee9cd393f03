package term

// Die does nothing: Windows has no signals to die of.
func (e Interrupted) Die() {}
