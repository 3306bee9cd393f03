package deliver

import "syscall"

// systemBrowsers open a URL in the browser of the user's choice. cmd's start
// would read the & of a URL.
var systemBrowsers = []Browser{{"rundll32", "url.dll,FileProtocolHandler"}}

// detachedProcess is DETACHED_PROCESS of the Windows API.
const detachedProcess = 0x8

// apart starts a process without our console.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess}
}
