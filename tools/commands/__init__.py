"""Operations declared in settings: typed arguments and argument lists, never a shell."""
