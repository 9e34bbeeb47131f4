/* python.exe: all of Python is in the DLL. */
#include <windows.h>

typedef int (*Py_Main)(int, wchar_t **);

int wmain(int argc, wchar_t **argv)
{
    HMODULE python = LoadLibraryW(L"python311.dll");
    Py_Main run = python ? (Py_Main)(void *)GetProcAddress(python, "Py_Main") : NULL;
    return run ? run(argc, argv) : 120;
}
