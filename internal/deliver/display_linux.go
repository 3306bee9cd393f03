package deliver

// HasDisplay reports whether windows can be shown in env: by X, by Wayland, or
// by the Windows around a Linux subsystem.
func HasDisplay(env []string) bool {
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"} {
		if v, _ := lookup(env, name); v != "" {
			return true
		}
	}
	return false
}
