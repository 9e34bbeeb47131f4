/* Scripts\python.exe of a virtual environment, as CPython's own: it starts the python.exe that
   BASE names as a child, tells it whose environment it is, and ends with it. */
#include <windows.h>
#include <wchar.h>

static wchar_t own[MAX_PATH], command[32768];

/* What follows the program's own name. */
static const wchar_t *arguments(const wchar_t *line)
{
    BOOL quoted = FALSE;
    while (*line && (quoted || (*line != L' ' && *line != L'\t')))
        quoted ^= *line++ == L'"';
    return line;
}

/* Ctrl-C and Ctrl-Break reach Python too; it alone decides what becomes of them. */
static BOOL WINAPI ignored(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

int wmain(void)
{
    GetModuleFileNameW(NULL, own, MAX_PATH);
    SetEnvironmentVariableW(L"__PYVENV_LAUNCHER__", own);
    swprintf(command, 32768, L"\"%ls\"%ls", BASE, arguments(GetCommandLineW()));

    /* Who ends the launcher ends Python too. */
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);

    SetConsoleCtrlHandler(ignored, TRUE);

    STARTUPINFOW start;
    PROCESS_INFORMATION child;
    GetStartupInfoW(&start);
    if (!CreateProcessW(BASE, command, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child))
        return 121;
    AssignProcessToJobObject(job, child.hProcess);
    WaitForSingleObject(child.hProcess, INFINITE);
    DWORD code = 122;
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}
