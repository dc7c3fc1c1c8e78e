"""Argo CD as a platform: it sets the version an application wants, syncs it, and reads how that went."""
