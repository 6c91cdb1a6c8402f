"""Names as the world has them, for people who do not exist."""

FIRST = """
Zoé Łukasz Şeyma Adjoa Fatoumata Camille Đorđe Jean-Baptiste Inès Thomas Aïcha Noël Maëlle Loïc Gaëtan Clémence Björn Siân Niamh
Séamus Anaïs Chloé Héloïse Théo Mathéo Kévin Émile Élise Åsa Øyvind Jürgen Zsófia Ágnes Mihály Ștefan Ioana Çağla Gökçe Yıldız
Dmitri Олена Ελένη محمد ليلى דוד 李 美咲 지우 अनिता Kwame Ngozi Oluwaseun Tiana Haja Mamadou Aminata Moussa Karim Samira Yacine Leïla
Sofiane Malika Mai Thanh Phương Quỳnh Arjun Priya Rohan Zainab Yusuf Amina Hana Kenji Min-jun Wei Ximena Íñigo Ainhoa João
Conceição Beatriz Tomás Núria Giuseppe Chiara Niccolò Margherita
""".split()  # noqa: SIM905

LAST = """
Lefèvre-Diallo Wiśniewski Yıldırım Mensah Traoré Roux Petrović O’Connor Ouedraogo Grandjean Belkacem Nguyễn Nguimfack Müller
Strauß Østergaard Håkansson Ó’Briain MacGregor d’Ormesson Le_Goff de_La_Tour van_den_Berg Szabó Kovács Ionescu Țăranu Öztürk Çelik
Іваненко Παπαδόπουλος العلوي כהן 王 佐藤 김 शर्मा Asante Okonkwo Adeyemi Rakotomalala Andrianaivo Diop Ndiaye Benali Haddad Mansouri
Bouzid Trần Lê Phạm Patel Singh Khan Hussain Tanaka Park Chen García-López Etxeberria da_Silva Gonçalves Ferreira Puig Rossi
De_Luca Bianchi Fernández Martin Bernard Dubois Petit Moreau Garnier Faure Girard Lambert Fontaine
""".split()  # noqa: SIM905


def person(index: int) -> tuple[str, str]:
    """The first and last name of the nth person: the same each time, no two alike below some thousands."""
    first = FIRST[index % len(FIRST)]
    last = LAST[(index * 11 + index // len(FIRST)) % len(LAST)].replace("_", " ")
    return first, last
