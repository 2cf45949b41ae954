// SPDX-License-Identifier: Apache-2.0
//
// words.js - the page's own words, in the language of the tablet.
//
// What a card says comes with the card. These are the buttons around it: short,
// the same in every place, and plain when something went wrong.

const texts = {
	en: {
		'signIn.title': 'Manager’s sign-in', 'signIn.go': 'Sign in', 'signIn.wrong': 'No such manager, or another PIN',
		'signIn.failed': 'The gateway does not answer. Try again.',
		station: 'Till {0}',
		ready: 'Ready',
		nothing: 'Nothing to suggest right now',
		unheard: 'Nothing was heard of till {0} yet',
		unheardMend: 'Is that its name? Another is chosen above.',
		choose: 'Which till is this?',
		notYours: 'This tablet may not show till {0}. Choose another, or connect it anew with a code for that till.',
		noStations: 'No till has been heard of yet. This page looks again by itself.',
		live: 'Live',
		offline: 'Offline',
		offlineSince: 'Offline – last update {0}. What you see may be out of date.',
		neverLive: 'Connecting …',
		uncertain: 'The store gateway is not sure of the time. Offers that depend on a date are held back.',
		noBroker: 'The tills are not heard right now: the store\u2019s message service is down.',
		unsent: 'Answers still to be sent: {0}',
		more: '+{0} waiting',
		language: 'Language',
		earlier: 'Earlier',
		none: 'No answers yet.',
		back: 'Back',
		skip: 'Skip',
		why: 'Why?',
		saves: 'saves {0}', savesAbout: 'saves about {0}',
		points: '{0} points',
		seconds: '{0} s left',
		minutes: '{0} min left',
		'kind.offer': 'Offer', 'kind.recommend': 'Goes with it', 'kind.service': 'Help', 'kind.retain': 'Look after',
		'kind.remind': 'Reminder', 'kind.coach': 'For you', 'kind.inform': 'Good to know', 'kind.alert': 'Important',
		yes: 'Yes', no: 'No', done: 'Done', notNow: 'Not now', later: 'Later', instead: 'Instead…',
		approve: 'Approve',
		whyNot: 'Why not?',
		'reason.customer-declined': 'Customer said no',
		'reason.not-relevant': 'Does not fit',
		'reason.out-of-stock': 'Out of stock',
		'reason.too-busy': 'Too busy',
		'reason.wrong-person': 'Wrong person',
		'reason.insensitive': 'Not appropriate',
		'reason.other': 'Something else',
		whenLater: 'When?',
		inMinutes: 'In {0} minutes',
		nextVisit: 'Tomorrow',
		whatInstead: 'What instead?',
		somethingElse: 'Something else',
		byManager: 'A manager decides…',
		action: 'Action (its name in the policy)',
		depth: 'How much (percent or cents; may stay empty)',
		reason: 'Reason',
		managerTitle: 'A manager approves this',
		manager: 'Manager',
		pin: 'PIN',
		'state.sending': 'Sending …',
		'state.retrying': 'Not sent yet – trying again …',
		'state.asked': 'Asked the till …',
		'state.applied': 'Applied',
		'state.refused': 'The till said no – nothing was taken off',
		'state.silent': 'The till has not answered yet',
		'state.accepted': 'Done',
		'state.dismissed': 'Dismissed',
		'state.snoozed': 'Later',
		'state.overridden': 'Something else instead',
		'state.answered': 'Answered',
		'failed.403': 'Manager or PIN not right',
		'failed.404': 'This card is not known any more',
		'failed.409': 'Already answered another way',
		'failed.410': 'Too late – it has expired or payment has begun',
		'failed.closed': 'Not possible now: {0}',
		'failed.423': 'PIN locked – try again later',
		'failed.other': 'That did not work ({0})',
		'gone.tender': 'Payment has begun', 'gone.closed': 'Sale finished', 'gone.cancelled': 'Sale cancelled',
		'gone.expired': 'Expired', 'gone.gate': 'No longer fits', 'gone.replaced': 'Replaced',
		'gone.customer': 'Another customer', 'gone.consent': 'Withdrawn', 'gone.stopped': 'Stopped',
		pairTitle: 'Connect this tablet',
		pairHelp: 'Ask for a code of six digits: someone runs “aislectl tablet pair”.',
		code: 'Code',
		name: 'Name of this tablet',
		pair: 'Connect',
		pairWrong: 'This code is wrong, used or too old. Ask for a new one.',
		pairWait: 'Too many wrong codes. Wait a moment.',
		pairFailed: 'The gateway cannot be reached.',
		newCard: 'New: {0}',
	},
	de: {
		'signIn.title': 'Anmeldung der Marktleitung', 'signIn.go': 'Anmelden', 'signIn.wrong': 'Diese Kennung gibt es nicht, oder die PIN ist eine andere',
		'signIn.failed': 'Das Gateway antwortet nicht. Bitte noch einmal versuchen.',
		station: 'Kasse {0}',
		ready: 'Bereit',
		nothing: 'Gerade kein Vorschlag',
		unheard: 'Von Kasse {0} war noch nichts zu hören',
		unheardMend: 'Heißt sie so? Eine andere wird oben gewählt.',
		choose: 'Welche Kasse ist das?',
		notYours: 'Dieses Tablet darf Kasse {0} nicht zeigen. Eine andere wählen oder mit einem Code für diese Kasse neu verbinden.',
		noStations: 'Noch hat sich keine Kasse gemeldet. Diese Seite sieht von selbst wieder nach.',
		live: 'Live',
		offline: 'Offline',
		offlineSince: 'Offline – letzter Stand {0}. Die Anzeige kann veraltet sein.',
		neverLive: 'Verbinde …',
		uncertain: 'Die Uhr im Markt ist unsicher. Angebote mit Datum werden zurückgehalten.',
		noBroker: 'Die Kassen sind gerade nicht zu hören: der Nachrichtendienst im Markt ist ausgefallen.',
		unsent: 'Noch zu sendende Antworten: {0}',
		more: '+{0} warten',
		language: 'Sprache',
		earlier: 'Zuletzt',
		none: 'Noch keine Antworten.',
		back: 'Zurück',
		skip: 'Überspringen',
		why: 'Warum?',
		saves: 'spart {0}', savesAbout: 'spart etwa {0}',
		points: '{0} Punkte',
		seconds: 'noch {0} s',
		minutes: 'noch {0} min',
		'kind.offer': 'Angebot', 'kind.recommend': 'Passt dazu', 'kind.service': 'Hilfe', 'kind.retain': 'Kümmern',
		'kind.remind': 'Erinnerung', 'kind.coach': 'Für dich', 'kind.inform': 'Gut zu wissen', 'kind.alert': 'Wichtig',
		yes: 'Ja', no: 'Nein', done: 'Erledigt', notNow: 'Nicht jetzt', later: 'Später', instead: 'Anders…',
		approve: 'Freigeben',
		whyNot: 'Warum nicht?',
		'reason.customer-declined': 'Kunde möchte nicht',
		'reason.not-relevant': 'Passt nicht',
		'reason.out-of-stock': 'Nicht vorrätig',
		'reason.too-busy': 'Keine Zeit',
		'reason.wrong-person': 'Falsche Person',
		'reason.insensitive': 'Unpassend',
		'reason.other': 'Etwas anderes',
		whenLater: 'Wann?',
		inMinutes: 'In {0} Minuten',
		nextVisit: 'Morgen',
		whatInstead: 'Was stattdessen?',
		somethingElse: 'Etwas anderes',
		byManager: 'Leitung entscheidet…',
		action: 'Aktion (ihr Name in den Regeln)',
		depth: 'Wie viel (Prozent oder Cent; darf leer bleiben)',
		reason: 'Grund',
		managerTitle: 'Das gibt die Leitung frei',
		manager: 'Leitung',
		pin: 'PIN',
		'state.sending': 'Sende …',
		'state.retrying': 'Noch nicht gesendet – neuer Versuch …',
		'state.asked': 'Kasse ist gefragt …',
		'state.applied': 'Abgezogen',
		'state.refused': 'Die Kasse lehnt ab – nichts wurde abgezogen',
		'state.silent': 'Die Kasse hat noch nicht geantwortet',
		'state.accepted': 'Erledigt',
		'state.dismissed': 'Abgelehnt',
		'state.snoozed': 'Später',
		'state.overridden': 'Stattdessen etwas anderes',
		'state.answered': 'Beantwortet',
		'failed.403': 'Leitung oder PIN stimmt nicht',
		'failed.404': 'Diese Karte ist nicht mehr bekannt',
		'failed.409': 'Schon anders beantwortet',
		'failed.410': 'Zu spät – abgelaufen oder es wird schon bezahlt',
		'failed.closed': 'Gerade nicht möglich: {0}',
		'failed.423': 'PIN gesperrt – später wieder versuchen',
		'failed.other': 'Das ging nicht ({0})',
		'gone.tender': 'Es wird bezahlt', 'gone.closed': 'Einkauf beendet', 'gone.cancelled': 'Einkauf abgebrochen',
		'gone.expired': 'Abgelaufen', 'gone.gate': 'Passt nicht mehr', 'gone.replaced': 'Ersetzt',
		'gone.customer': 'Anderer Kunde', 'gone.consent': 'Zurückgezogen', 'gone.stopped': 'Gestoppt',
		pairTitle: 'Dieses Tablet verbinden',
		pairHelp: 'Sechsstelligen Code geben lassen: jemand ruft „aislectl tablet pair“ auf.',
		code: 'Code',
		name: 'Name dieses Tablets',
		pair: 'Verbinden',
		pairWrong: 'Dieser Code ist falsch, benutzt oder zu alt. Einen neuen geben lassen.',
		pairWait: 'Zu viele falsche Codes. Einen Moment warten.',
		pairFailed: 'Das Gateway ist nicht zu erreichen.',
		newCard: 'Neu: {0}',
	},
	es: {
		'signIn.title': 'Acceso del responsable', 'signIn.go': 'Entrar', 'signIn.wrong': 'No existe ese responsable, o el PIN es otro',
		'signIn.failed': 'El sistema no responde. Inténtelo de nuevo.',
		station: 'Caja {0}', ready: 'Listo', unheard: 'Aún no se ha oído nada de la caja {0}', unheardMend: '¿Se llama así? Arriba se elige otra.',
		nothing: 'Nada que sugerir ahora', choose: '¿Qué caja es esta?',
		notYours: 'Esta tableta no puede mostrar la caja {0}. Elija otra o conéctela de nuevo con un código para esa caja.',
		noStations: 'Todavía no se ha oído ninguna caja. Esta página vuelve a mirar sola.', live: 'En vivo', offline: 'Sin conexión',
		offlineSince: 'Sin conexión – última novedad {0}. Lo que ve puede estar anticuado.', neverLive: 'Conectando …',
		uncertain: 'La tienda no está segura de la hora. Las ofertas con fecha se retienen.',
		noBroker: 'Ahora no se oye a las cajas: el servicio de mensajes de la tienda no funciona.', unsent: 'Respuestas por enviar: {0}',
		more: '+{0} en espera', language: 'Idioma', earlier: 'Anteriores', none: 'Todavía no hay respuestas.', back: 'Volver',
		skip: 'Omitir', why: '¿Por qué?', saves: 'ahorra {0}', savesAbout: 'ahorra unos {0}', points: '{0} puntos', seconds: 'quedan {0} s', minutes: 'quedan {0} min',
		'kind.offer': 'Oferta', 'kind.recommend': 'Combina con esto', 'kind.service': 'Ayuda', 'kind.retain': 'Cuidar',
		'kind.remind': 'Recordatorio', 'kind.coach': 'Para ti', 'kind.inform': 'Bueno saberlo', 'kind.alert': 'Importante', yes: 'Sí',
		no: 'No', done: 'Hecho', notNow: 'Ahora no', later: 'Más tarde', instead: 'Otra cosa…', approve: 'Autorizar', whyNot: '¿Por qué no?',
		'reason.customer-declined': 'El cliente no quiso', 'reason.not-relevant': 'No encaja', 'reason.out-of-stock': 'Agotado',
		'reason.too-busy': 'Sin tiempo', 'reason.wrong-person': 'Otra persona', 'reason.insensitive': 'No es apropiado',
		'reason.other': 'Otro motivo', whenLater: '¿Cuándo?', inMinutes: 'En {0} minutos', nextVisit: 'Mañana',
		whatInstead: '¿Qué en su lugar?', somethingElse: 'Otra cosa', byManager: 'Decide un responsable…',
		action: 'Acción (su nombre en las reglas)', depth: 'Cuánto (por ciento o céntimos; puede quedar vacío)', reason: 'Motivo',
		managerTitle: 'Lo autoriza un responsable', manager: 'Responsable', pin: 'PIN', 'state.sending': 'Enviando …',
		'state.retrying': 'Aún no enviado – se vuelve a intentar …', 'state.asked': 'Preguntando a la caja …', 'state.applied': 'Aplicado',
		'state.refused': 'La caja dijo que no – no se descontó nada', 'state.silent': 'La caja aún no ha contestado',
		'state.accepted': 'Hecho', 'state.dismissed': 'Descartado', 'state.snoozed': 'Más tarde',
		'state.overridden': 'Otra cosa en su lugar', 'state.answered': 'Contestado', 'failed.403': 'Responsable o PIN incorrecto',
		'failed.404': 'Esta tarjeta ya no se conoce', 'failed.409': 'Ya se contestó de otro modo',
		'failed.410': 'Demasiado tarde – ha caducado o ya se está pagando', 'failed.closed': 'Ahora no es posible: {0}',
		'failed.423': 'PIN bloqueado – inténtelo más tarde', 'failed.other': 'No ha funcionado ({0})', 'gone.tender': 'Se está pagando',
		'gone.closed': 'Compra terminada', 'gone.cancelled': 'Compra anulada', 'gone.expired': 'Caducado', 'gone.gate': 'Ya no encaja',
		'gone.replaced': 'Sustituido', 'gone.customer': 'Otro cliente', 'gone.consent': 'Retirado', 'gone.stopped': 'Detenido',
		pairTitle: 'Conectar esta tableta', pairHelp: 'Pida un código de seis cifras: alguien ejecuta “aislectl tablet pair”.',
		code: 'Código', name: 'Nombre de esta tableta', pair: 'Conectar',
		pairWrong: 'Este código es incorrecto, usado o demasiado antiguo. Pida otro.',
		pairWait: 'Demasiados códigos incorrectos. Espere un momento.', pairFailed: 'No se llega a la tienda.', newCard: 'Nuevo: {0}',
	},
	fr: {
		'signIn.title': 'Connexion du responsable', 'signIn.go': 'Se connecter', 'signIn.wrong': 'Responsable inconnu, ou autre code PIN',
		'signIn.failed': 'Le système ne répond pas. Réessayez.',
		station: 'Caisse {0}', ready: 'Prêt', unheard: 'Rien encore de la caisse {0}', unheardMend: 'Est-ce bien son nom ? On en choisit une autre en haut.',
		nothing: 'Rien à proposer pour l’instant', choose: 'Quelle caisse est-ce ?',
		notYours: 'Cette tablette ne peut pas montrer la caisse {0}. Choisissez-en une autre, ou connectez-la à nouveau avec un code pour celle-ci.',
		noStations: 'Aucune caisse ne s’est encore fait entendre. Cette page regarde à nouveau d’elle-même.', live: 'En direct',
		offline: 'Hors ligne', offlineSince: 'Hors ligne – dernière nouvelle à {0}. L’affichage peut être périmé.', neverLive: 'Connexion …',
		uncertain: 'Le magasin n’est pas sûr de l’heure. Les offres datées sont retenues.',
		noBroker: 'On n’entend pas les caisses : le service de messages du magasin est arrêté.', unsent: 'Réponses à envoyer : {0}',
		more: '+{0} en attente', language: 'Langue', earlier: 'Avant', none: 'Pas encore de réponse.', back: 'Retour', skip: 'Passer',
		why: 'Pourquoi ?', saves: 'économise {0}', savesAbout: 'économise environ {0}', points: '{0} points', seconds: 'encore {0} s', minutes: 'encore {0} min',
		'kind.offer': 'Offre', 'kind.recommend': 'Va avec', 'kind.service': 'Aide', 'kind.retain': 'Prendre soin', 'kind.remind': 'Rappel',
		'kind.coach': 'Pour toi', 'kind.inform': 'Bon à savoir', 'kind.alert': 'Important', yes: 'Oui', no: 'Non', done: 'Fait',
		notNow: 'Pas maintenant', later: 'Plus tard', instead: 'Autre…', approve: 'Autoriser', whyNot: 'Pourquoi pas ?',
		'reason.customer-declined': 'Le client a dit non', 'reason.not-relevant': 'Ne convient pas', 'reason.out-of-stock': 'En rupture',
		'reason.too-busy': 'Pas le temps', 'reason.wrong-person': 'Pas la bonne personne', 'reason.insensitive': 'Déplacé',
		'reason.other': 'Autre raison', whenLater: 'Quand ?', inMinutes: 'Dans {0} minutes', nextVisit: 'Demain',
		whatInstead: 'Quoi à la place ?', somethingElse: 'Autre chose', byManager: 'Un responsable décide…',
		action: 'Action (son nom dans les règles)', depth: 'Combien (pour cent ou centimes ; peut rester vide)', reason: 'Raison',
		managerTitle: 'Un responsable autorise', manager: 'Responsable', pin: 'Code PIN', 'state.sending': 'Envoi …',
		'state.retrying': 'Pas encore envoyé – nouvel essai …', 'state.asked': 'La caisse est interrogée …', 'state.applied': 'Déduit',
		'state.refused': 'La caisse a refusé – rien n’a été déduit', 'state.silent': 'La caisse n’a pas encore répondu',
		'state.accepted': 'Fait', 'state.dismissed': 'Écarté', 'state.snoozed': 'Plus tard', 'state.overridden': 'Autre chose à la place',
		'state.answered': 'Répondu', 'failed.403': 'Responsable ou PIN incorrect', 'failed.404': 'Cette carte n’est plus connue',
		'failed.409': 'Déjà répondu autrement', 'failed.410': 'Trop tard – expiré, ou le paiement a commencé',
		'failed.closed': 'Impossible pour l’instant : {0}', 'failed.423': 'PIN bloqué – réessayer plus tard',
		'failed.other': 'Cela n’a pas marché ({0})', 'gone.tender': 'Le paiement a commencé', 'gone.closed': 'Achat terminé',
		'gone.cancelled': 'Achat annulé', 'gone.expired': 'Expiré', 'gone.gate': 'Ne convient plus', 'gone.replaced': 'Remplacé',
		'gone.customer': 'Autre client', 'gone.consent': 'Retiré', 'gone.stopped': 'Arrêté',
		pairTitle: 'Connecter cette tablette', pairHelp: 'Demander un code à six chiffres : quelqu’un lance « aislectl tablet pair ».',
		code: 'Code', name: 'Nom de cette tablette', pair: 'Connecter',
		pairWrong: 'Ce code est faux, déjà utilisé ou trop ancien. En demander un autre.',
		pairWait: 'Trop de codes faux. Attendre un moment.', pairFailed: 'Le magasin est injoignable.', newCard: 'Nouveau : {0}',
	},
	ar: {
		'signIn.title': 'تسجيل دخول المدير', 'signIn.go': 'دخول', 'signIn.wrong': 'لا يوجد مدير بهذا الاسم أو الرقم السري مختلف',
		'signIn.failed': 'النظام لا يستجيب. حاول مرة أخرى.',
		station: 'الصندوق {0}', ready: 'جاهز', unheard: 'لم يُسمع شيء من الصندوق {0} بعد', unheardMend: 'هل هذا اسمه؟ يُختار غيره في الأعلى.',
		nothing: 'لا اقتراح الآن', choose: 'أي صندوق هذا؟',
		notYours: 'لا يحق لهذا الجهاز عرض الصندوق {0}. اختر صندوقًا آخر، أو صِله من جديد برمز لذلك الصندوق.',
		noStations: 'لم يُسمع من أي صندوق بعد. تعيد هذه الصفحة المحاولة وحدها.', live: 'مباشر', offline: 'غير متصل',
		offlineSince: 'غير متصل – آخر تحديث {0}. قد يكون المعروض قديمًا.', neverLive: 'جارٍ الاتصال …',
		uncertain: 'ساعة المتجر غير مؤكدة. العروض المرتبطة بتاريخ موقوفة.', noBroker: 'لا تُسمع الصناديق الآن: خدمة رسائل المتجر متوقفة.',
		unsent: 'إجابات لم تُرسل بعد: {0}', more: '+{0} في الانتظار', language: 'اللغة', earlier: 'السابق', none: 'لا إجابات بعد.',
		back: 'رجوع', skip: 'تخطٍّ', why: 'لماذا؟', saves: 'يوفر {0}', savesAbout: 'يوفر نحو {0}', points: '{0} نقطة', seconds: 'بقي {0} ث', minutes: 'بقي {0} د',
		'kind.offer': 'عرض', 'kind.recommend': 'يناسب ذلك', 'kind.service': 'مساعدة', 'kind.retain': 'عناية', 'kind.remind': 'تذكير',
		'kind.coach': 'لك', 'kind.inform': 'للعلم', 'kind.alert': 'مهم', yes: 'نعم', no: 'لا', done: 'تم', notNow: 'ليس الآن',
		later: 'لاحقًا', instead: 'بديل…', approve: 'موافقة', whyNot: 'لماذا لا؟', 'reason.customer-declined': 'الزبون رفض',
		'reason.not-relevant': 'غير مناسب', 'reason.out-of-stock': 'نفد المخزون', 'reason.too-busy': 'لا وقت',
		'reason.wrong-person': 'شخص آخر', 'reason.insensitive': 'غير لائق', 'reason.other': 'سبب آخر', whenLater: 'متى؟',
		inMinutes: 'بعد {0} دقيقة', nextVisit: 'غدًا', whatInstead: 'ماذا بدلًا منه؟', somethingElse: 'شيء آخر', byManager: 'يقرر المدير…',
		action: 'الإجراء (اسمه في القواعد)', depth: 'كم (بالمئة أو سنت؛ يمكن تركه فارغًا)', reason: 'السبب',
		managerTitle: 'يوافق المدير على هذا', manager: 'المدير', pin: 'الرقم السري', 'state.sending': 'جارٍ الإرسال …',
		'state.retrying': 'لم يُرسل بعد – نحاول مجددًا …', 'state.asked': 'سُئل الصندوق …', 'state.applied': 'خُصم',
		'state.refused': 'رفض الصندوق – لم يُخصم شيء', 'state.silent': 'لم يجب الصندوق بعد', 'state.accepted': 'تم',
		'state.dismissed': 'رُفض', 'state.snoozed': 'لاحقًا', 'state.overridden': 'شيء آخر بدلًا منه', 'state.answered': 'أُجيب',
		'failed.403': 'المدير أو الرقم السري غير صحيح', 'failed.404': 'لم تعد هذه البطاقة معروفة', 'failed.409': 'أُجيب عنها بشكل آخر',
		'failed.410': 'فات الأوان – انتهت أو بدأ الدفع', 'failed.closed': 'غير ممكن الآن: {0}',
		'failed.423': 'الرقم السري مقفل – حاول لاحقًا', 'failed.other': 'لم ينجح ذلك ({0})', 'gone.tender': 'بدأ الدفع',
		'gone.closed': 'انتهى البيع', 'gone.cancelled': 'أُلغي البيع', 'gone.expired': 'انتهى الوقت', 'gone.gate': 'لم يعد مناسبًا',
		'gone.replaced': 'استُبدل', 'gone.customer': 'زبون آخر', 'gone.consent': 'سُحب', 'gone.stopped': 'أُوقف',
		pairTitle: 'ربط هذا الجهاز', pairHelp: 'اطلب رمزًا من ستة أرقام: ينفّذ أحدهم “aislectl tablet pair”.', code: 'الرمز',
		name: 'اسم هذا الجهاز', pair: 'ربط', pairWrong: 'هذا الرمز خاطئ أو مستعمل أو قديم. اطلب رمزًا جديدًا.',
		pairWait: 'رموز خاطئة كثيرة. انتظر قليلًا.', pairFailed: 'لا يمكن الوصول إلى المتجر.', newCard: 'جديد: {0}',
	},
};

// In the order and the words of whoever looks for their own.
export const languages = [['en', 'English'], ['de', 'Deutsch'], ['es', 'Español'], ['fr', 'Français'], ['ar', 'العربية']];
const RIGHT_TO_LEFT = ['ar', 'arc', 'ckb', 'dv', 'fa', 'he', 'ku', 'ps', 'sd', 'syr', 'ug', 'ur', 'yi'];

// What this tablet keeps beside its answers (outbox.js). A browser that keeps nothing is no reason to show no card.
export function recall(name) {
	try {
		return localStorage.getItem(name);
	} catch {
		return null;
	}
}

export function keep(name, value) {
	try {
		localStorage.setItem(name, value);
	} catch {
		// it is asked again
	}
}

// Chosen on this tablet; else what its browser speaks.
const wanted = [recall('language'), ...(navigator.languages || [navigator.language || 'en'])]
	.map((l) => (l || '').slice(0, 2).toLowerCase());
export let language = wanted.find((l) => texts[l]) || 'en';

// "rtl" or "ltr" of a language tag.
export function directionOf(tag) {
	return RIGHT_TO_LEFT.includes(tag.split('-')[0].toLowerCase()) || /-(Arab|Hebr)\b/i.test(tag) ? 'rtl' : 'ltr';
}
export let direction = directionOf(language);

// Of the preview, which shows each card in its own: the page's words in this language where it has them, else in English.
export function speak(tag) {
	const code = tag.slice(0, 2).toLowerCase();
	language = texts[code] ? code : 'en';
	direction = directionOf(language);
}

export function chooseLanguage(code) {
	keep('language', code);
	location.reload();
}

// Of the words of a page: those for a name, {0} and what follows replaced. What a language lacks is said in English,
// and a name without words is shown as it is.
export function wording(all) {
	return (name, ...values) => values.reduce((text, value, i) => value === undefined ? text : text.replace('{' + i + '}', () => value),
		(all[language] || {})[name] ?? all.en[name] ?? name);
}

export const t = wording(texts);

export function has(name) {
	return name in texts.en;
}
